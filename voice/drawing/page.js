"use strict";
// Draws one call. Times are milliseconds since the media link opened; all text goes in as text, never as markup.
(() => {
  const story = JSON.parse(document.getElementById("story").textContent);
  const stage = document.getElementById("stage"), svg = document.getElementById("timeline");
  const overview = document.getElementById("overview"), tip = document.getElementById("tip");
  const sound = document.getElementById("sound");
  const GUTTER = 118, RIGHT = 10, LEAST = 400, LENGTH = Math.max(1000, story.length + 300);
  const GAIN_FLOOR = 90; // dBFS below full scale that a byte of 0 stands for
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  for (const run of story.windows) for (const key of ["speech", "level", "echo"]) run[key] = bytes(run[key]);
  const recording = story.recording;
  if (recording) for (const key of ["said", "heard"]) recording[key] = bytes(recording[key]);
  const sounded = story.segments.filter((each) => each.words.length);
  const rows = ["phase", "caller", "agent", "expected", "doubt", "held", "draft", "lead"].filter((row) => story.spans.some((each) => each[0] === row));
  const packed = []; // waits share rows, as many as run at once; the longest call's is left out, for it always runs
  for (const each of story.spans) {
    if (!each[0].startsWith("wait:") || each[0] === "wait:longest") continue;
    let row = packed.findIndex((ended) => ended <= each[2]);
    if (row < 0) row = packed.push(0) - 1;
    packed[row] = each[3];
    each.row = "waits" + row;
    if (!rows.includes(each.row)) rows.push(each.row);
  }
  const state = { from: 0, to: LENGTH, chosen: null, cursor: null, width: 800 };
  if (story.view) [state.from, state.to] = [Math.max(0, story.view[0]), Math.min(LENGTH, Math.max(story.view[1], story.view[0] + LEAST))];

  // --- small things ---------------------------------------------------------------------------------------------------
  const NS = "http://www.w3.org/2000/svg";
  const el = (name, attributes, text) => {
    const made = document.createElementNS(NS, name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const clock = (ms) => {
    const sign = ms < 0 ? "−" : "", s = Math.abs(ms) / 1000;
    return sign + Math.floor(s / 60) + ":" + (s % 60).toFixed(3).padStart(6, "0");
  };
  const seconds = (ms) => (ms / 1000).toFixed(2) + " s";
  const x = (ms) => GUTTER + (ms - state.from) / (state.to - state.from) * (state.width - GUTTER - RIGHT);
  const time = (px) => state.from + (px - GUTTER) / (state.width - GUTTER - RIGHT) * (state.to - state.from);
  const seen = (from, to) => to >= state.from && from <= state.to;
  const fits = (text, width, per = 5.9) => {
    const most = Math.floor(width / per);
    return text.length <= most ? text : most < 3 ? "" : text.slice(0, most - 1).trimEnd() + "…";
  };

  // --- what can be chosen: every thing with a time, its title and its particulars --------------------------------------
  const things = [];
  const thing = (at, until, title, lines, kind) => things.push({ at, until, title, lines, kind }) - 1;
  const TIMES = { same: "", then: "then, and not now", now: "now, and not then" };
  story.decisions.forEach((each) => {
    const [at, kind, label, detail, cause, when] = each;
    const of = TIMES[when] ? [["decided", TIMES[when]]] : [];
    each.thing = thing(at, at, label, [["at", clock(at)], ["kind", kind], ...(detail ? [["detail", detail]] : []), ["because of", cause], ...of], "decision");
  });
  story.turns.forEach((each) => {
    each.thing = thing(each.began, each.ended, "“" + each.text + "”", [["who", each.speaker], ["from", clock(each.began)], ["to", clock(each.ended)],
      ...(each.speaker === "caller" ? [["turn over", each.why], ["closed", clock(each.closed) + " (" + (each.closed - each.ended) + " ms later)"]] : []),
      ...(each.isTakenBack ? [["but", "the caller went on: part of the next turn"]] : [])], "turn");
    if (each.gap) each.gap.thing = thing(each.gap.began, each.gap.ended, "response gap: " + (each.gap.ended - each.gap.began) + " ms",
      each.gap.stages.map(([name, length]) => [name, length + " ms"]), "gap");
  });
  story.bargeIns.forEach((each) => {
    each.thing = thing(each[0], each[1], "barge-in: stopped after " + (each[1] - each[0]) + " ms", [["voice began", clock(each[0])], ["cleared", clock(each[1])], ["why", each[2]]], "barge-in");
  });
  story.segments.forEach((each) => {
    const spoken = each.heard === each.length ? "to its end" : seconds(each.heard) + " of " + seconds(each.length);
    each.thing = thing(each.began === null ? each.ordered : each.began, each.ended, "“" + each.text + "”", [["reply", each.reply + ", segment " + each.number],
      ["ordered", clock(each.ordered)], ...(each.arrived === null ? [["voice", "never came"]] : [["first audio", clock(each.arrived) + " (" + (each.arrived - each.ordered) + " ms)"]]),
      ["heard", each.heard ? spoken : "nothing of it"], ...(each.cut === null ? [] : [["thrown away", clock(each.cut)]]), ...(each.isProtected ? [["protected", "to be heard to its end"]] : [])], "segment");
  });
  story.spans.forEach((each) => {
    each.thing = thing(each[2], each[3], each[0].replace("wait:", "waiting for ") + (each[0].startsWith("wait:") ? "" : ": " + each[1]),
      [["from", clock(each[2])], ["to", clock(each[3]) + " (" + seconds(each[3] - each[2]) + ")"], ...(each[4] ? [["", each[4]]] : [])], "belief");
  });
  const stops = things.map((each, index) => index).filter((index) => things[index].kind === "decision").sort((a, b) => things[a].at - things[b].at || a - b);

  // --- what was believed at an instant ---------------------------------------------------------------------------------
  const held = (row, at) => story.spans.findLast((each) => each[0] === row && each[2] <= at && at <= each[3]);
  const probability = (at) => {
    let found = 0;
    for (const [instant, value] of story.endings) { if (instant > at) break; found = value; }
    return found;
  };
  const windowAt = (at) => {
    for (const run of story.windows) {
      const index = Math.floor((at - run.at) / run.step);
      if (index >= 0 && index < run.speech.length) return [run.speech[index] / 255, run.level[index] / 255 * GAIN_FLOOR - GAIN_FLOOR, run.echo[index] / 255];
    }
    return null;
  };
  const believed = (at) => {
    const name = (row, other) => { const found = held(row, at); return found ? found[1] : other; };
    const lines = [["phase", name("phase", "–")], ["caller", name("caller", "quiet")], ["agent", name("agent", "silent")]];
    if (held("expected", at)) lines.push(["asked for", name("expected", "")]);
    if (held("doubt", at)) lines.push(["doubt", name("doubt", "")]);
    const over = probability(at);
    if (over) lines.push(["turn over", over + " %"]);
    const heard = windowAt(at);
    if (heard) lines.push(["sound", "speech " + Math.round(heard[0] * 100) + " %, " + Math.round(heard[1]) + " dBFS" + (heard[2] >= 0.05 ? ", echo " + Math.round(heard[2] * 100) + " %" : "")]);
    const words = story.understood.findLast((each) => each[0] <= at && each[0] > at - 4000);
    if (words && words[2]) lines.push([words[3] ? "understood" : "understands", "“" + words[2] + "”"]);
    const spoken = story.segments.filter((each) => each.began !== null && each.began <= at && at < each.ended).flatMap((each) => each.words.filter((word) => word[2] <= at && word[3]).map((word) => word[0]));
    if (spoken.length) lines.push(["heard of us", "“" + spoken.join(" ") + "”"]);
    const waits = story.spans.filter((each) => each[0].startsWith("wait:") && each[2] <= at && at < each[3]).map((each) => each[1]);
    if (waits.length) lines.push(["waits", waits.join(", ")]);
    return lines;
  };
  const fill = (pane, title, lines) => {
    const heading = document.createElement("h3"), list = document.createElement("dl");
    heading.textContent = title;
    for (const [name, value] of lines) {
      list.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value }));
    }
    document.getElementById(pane).replaceChildren(heading, list);
  };
  const showBelief = (at) => fill("believed", "Believed at " + clock(at), believed(at));

  // --- drawing ---------------------------------------------------------------------------------------------------------
  const shape = (values, from, step, top, height, at, mirrored) => { // an area over the columns of the screen
    const start = Math.max(0, Math.floor((state.from - from) / step)), end = Math.min(values.length, Math.ceil((state.to - from) / step));
    if (end <= start) return "";
    const per = Math.max(1, Math.floor((end - start) / (state.width * 0.8))), up = [], down = [];
    for (let index = start; index < end; index += per) {
      let most = 0;
      for (let inner = index; inner < Math.min(end, index + per); inner++) most = Math.max(most, at(values[inner]));
      const a = x(from + index * step).toFixed(1), b = x(from + Math.min(end, index + per) * step).toFixed(1);
      const y = (mirrored ? top + height / 2 - most * height / 2 : top + height - most * height).toFixed(1);
      up.push("L" + a + " " + y + "L" + b + " " + y);
      if (mirrored) { const z = (top + height / 2 + most * height / 2).toFixed(1); down.unshift("L" + b + " " + z + "L" + a + " " + z); }
    }
    const first = x(from + start * step).toFixed(1), last = x(from + end * step).toFixed(1), base = mirrored ? top + height / 2 : top + height;
    return "M" + first + " " + base + up.join("") + (mirrored ? down.join("") : "L" + last + " " + base) + "Z";
  };
  const outline = (values, from, step, top, height, at) => { // what stands above nothing, as a line
    let path = "", isDown = false;
    const start = Math.max(0, Math.floor((state.from - from) / step)), end = Math.min(values.length, Math.ceil((state.to - from) / step));
    const per = Math.max(1, Math.floor((end - start) / (state.width * 0.8)));
    for (let index = start; index < end; index += per) {
      let most = 0;
      for (let inner = index; inner < Math.min(end, index + per); inner++) most = Math.max(most, at(values[inner]));
      if (most) path += (isDown ? "L" : "M") + x(from + (index + per / 2) * step).toFixed(1) + " " + (top + height - most * height).toFixed(1);
      isDown = most > 0;
    }
    return path;
  };
  const loud = (value) => Math.max(0, (value / 255 * GAIN_FLOOR - 30) / (GAIN_FLOOR - 30)); // from -60 dBFS up
  const plain = (value) => value / 255;

  const lanes = {}; // name -> y, laid out once
  let height = 0;
  (() => {
    let y = 24;
    const put = (name, tall, after = 0) => { lanes[name] = { y, h: tall }; y += tall + after; };
    put("voice", 46, 2); put("speech", 12, 3); put("interim", 15, 1); put("turn", 19, 5);
    put("gap", 24, 5);
    put("made", 9, 3); put("words", 24, 2); if (recording) put("out", 30, 3); put("cutrow", 3, 9);
    for (const row of rows) put("row:" + row, 13, 2);
    put("over", 22, 10);
    put("decisions", 6 * 16 + 14, 4);
    height = y;
  })();
  svg.setAttribute("height", height);

  const grid = (out) => {
    const least = 78 * (state.to - state.from) / (state.width - GUTTER), step = [50, 100, 250, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000].find((each) => each >= least) || 300000;
    for (let at = Math.ceil(state.from / step) * step; at <= state.to; at += step) {
      out.append(el("line", { class: "grid", x1: x(at), x2: x(at), y1: 20, y2: height }));
      const label = Math.floor(at / 60000) + ":" + (step < 1000 ? (at % 60000 / 1000).toFixed(2).padStart(5, "0") : String(Math.floor(at % 60000 / 1000)).padStart(2, "0"));
      out.append(el("text", { class: "t", x: x(at) + 3, y: 13 }, label));
    }
    for (const lane of ["gap", "made", "row:" + rows[0], "decisions"]) {
      if (lanes[lane]) out.append(el("line", { class: "split", x1: 0, x2: state.width, y1: lanes[lane].y - 3.5, y2: lanes[lane].y - 3.5 }));
    }
  };
  const group = (index, ...parts) => {
    const made = el("g", { class: "hit" + (index === state.chosen ? " on" : ""), "data-thing": index });
    made.append(...parts);
    return made;
  };
  const bar = (lane, from, to, style, more = {}) =>
    el("rect", { class: style, x: x(from), y: lanes[lane].y, width: Math.max(1.5, x(to) - x(from)), height: lanes[lane].h, rx: 2, ...more });
  const middle = (lane) => lanes[lane].y + lanes[lane].h / 2 + 4;
  const bracket = (from, to, y, down, style) => {
    const a = Math.round(x(from)) + .5, b = Math.max(a + 2, Math.round(x(to)) + .5), tip_ = y + down;
    return el("path", { class: "l " + style, d: "M" + a + " " + tip_ + "V" + y + "H" + b + "V" + tip_ });
  };

  const caller = (out) => {
    const { voice, speech } = lanes;
    if (recording) out.append(el("path", { class: "f-caller half", d: shape(recording.said, recording.at, recording.step, voice.y, voice.h, loud, true) }));
    for (const run of story.windows) {
      if (!seen(run.at, run.at + run.speech.length * run.step)) continue;
      if (recording) {
        out.append(el("path", { class: "l l-ink dim", d: outline(run.level, run.at, run.step, voice.y, voice.h / 2, loud) }));
      } else {
        out.append(el("path", { class: "f-caller half", d: shape(run.level, run.at, run.step, voice.y, voice.h, loud, true) }));
      }
      out.append(el("path", { class: "f-caller", d: shape(run.speech, run.at, run.step, speech.y, speech.h, plain, false) }));
      if (run.echo.length) out.append(el("path", { class: "f-amber half", d: shape(run.echo, run.at, run.step, speech.y, speech.h, plain, false) }));
    }
    let free = -1e9;
    for (const each of story.understood) {
      const [at, fresh, whole, isFinal, isRevised, confidence] = each;
      if (!seen(at, at + 4000)) continue;
      const y = lanes.interim.y, left = x(at), mark = el("line", { class: "l " + (isFinal ? "l-ink" : isRevised ? "l-amber" : "l-caller"), x1: left, x2: left, y1: y - 1, y2: y + (isFinal ? 16 : 6) });
      const label = isFinal ? "" : (isRevised ? "↺ " : "") + (fresh || "–"), parts = [mark];
      if (label && left >= free) {
        parts.push(el("text", { class: isRevised ? "amber" : "soft", x: left + 3, y: y + 11 }, label));
        free = left + 9 + label.length * 5.7;
      }
      const told = el("g", {});
      told.append(...parts, el("rect", { x: left - 2, y: y - 2, width: Math.max(6, Math.min(60, label.length * 6)), height: 17, fill: "transparent" }));
      told.dataset.tip = JSON.stringify([(isFinal ? "final" : isRevised ? "interim, revised" : "interim") + " at " + clock(at), "“" + (whole || "no words") + "”" + (confidence === null ? "" : " · " + Math.round(confidence * 100) + " %")]);
      out.append(told);
    }
    for (const turn of story.turns) {
      if (turn.speaker !== "caller" || !seen(turn.began, turn.closed)) continue;
      const { y } = lanes.turn, width = x(turn.closed) - x(turn.began), text = fits(turn.text || "(no words)", width - 6);
      out.append(group(turn.thing, bar("turn", turn.began, turn.ended, "f-caller-w"),
        el("path", { class: "l l-caller" + (turn.isTakenBack ? " dash" : ""), d: "M" + x(turn.began) + " " + (y + 14) + "V" + (y + 18.5) + "H" + x(turn.ended) + "V" + (y + 14) }),
        el("path", { class: "l l-caller dash", d: "M" + x(turn.ended) + " " + (y + 18.5) + "H" + x(turn.closed) + "V" + (y + 8) }),
        el("text", { class: "caller b", x: Math.max(GUTTER + 3, x(turn.began) + 4), y: y + 12 }, text)));
    }
  };

  const gaps = (out) => {
    const { y } = lanes.gap, taken = [];
    const free = (from, to) => taken.every(([a, b]) => to <= a || from >= b) && taken.push([from, to]) > 0;
    for (const { gap } of story.turns) {
      if (!gap || !seen(gap.began, gap.ended)) continue;
      const width = x(gap.ended) - x(gap.began), label = Math.round(gap.ended - gap.began) + (width > 44 ? " ms" : ""), centre = x(gap.began) + width / 2;
      const isFree = free(centre - label.length * 3.6, centre + label.length * 3.6);
      out.append(group(gap.thing, el("rect", { x: x(gap.began), y, width: Math.max(2, width), height: 22, fill: "transparent" }),
        bracket(gap.began, gap.ended, y + 19, -5, "l-violet"), el("text", { class: "violet", x: centre, y: y + 12, "text-anchor": "middle" }, isFree ? label : "")));
    }
    for (const each of story.bargeIns) {
      if (!seen(each[0], each[1])) continue;
      const width = x(each[1]) - x(each[0]), label = (each[1] - each[0]) + (width > 36 ? " ms" : "");
      const isFree = free(x(each[0]) - label.length * 7.2, x(each[0]));
      out.append(group(each.thing, el("rect", { x: x(each[0]), y, width: Math.max(3, width), height: 22, fill: "transparent" }), bracket(each[0], each[1], y + 4, 5, "l-red"),
        el("text", { class: "red b", x: x(each[0]) - 4, y: y + 12, "text-anchor": "end" }, isFree ? label : "")));
      out.append(el("line", { class: "l l-red dash", x1: x(each[1]), x2: x(each[1]), y1: y + 4, y2: lanes.words.y + lanes.words.h }));
    }
  };

  const agent = (out) => {
    const scale = (state.width - GUTTER) / (state.to - state.from);
    const begins = sounded.map((each) => each.words[0][1]).sort((a, b) => a - b);
    for (const each of story.segments) {
      const made = each.complete === null ? (each.cut === null ? each.arrived : each.cut) : each.complete;
      if (made !== null && seen(each.ordered, made)) {
        const parts = [el("path", { class: "l l-agent dim", d: "M" + x(each.ordered) + " " + (lanes.made.y + 4.5) + "H" + x(each.arrived === null ? made : each.arrived) })];
        if (each.arrived !== null) parts.push(bar("made", each.arrived, made, "f-agent-w", { stroke: "var(--agent)" }));
        out.append(group(each.thing, ...parts));
      }
    }
    for (const each of sounded) {
      const first = each.words[0][1], last = each.words[each.words.length - 1][2], heardTo = each.ended === null ? first : each.ended;
      const next = begins.find((begin) => begin > Math.max(heardTo, each.cut || 0));
      const until = each.cut === null ? heardTo : Math.min(last, next === undefined ? LENGTH : next);
      if (!seen(first, Math.max(until, heardTo))) continue;
      const parts = [], { y, h } = lanes.words;
      if (each.ended !== null) parts.push(bar("words", each.began, heardTo, each.isProtected ? "f-agent-w" : "f-agent-w", each.isProtected ? { stroke: "var(--agent)", "stroke-width": 1.4 } : {}));
      if (each.cut !== null && until > Math.max(first, heardTo)) parts.push(el("rect", { x: x(Math.max(first, heardTo)), y, width: Math.max(1.5, x(until) - x(Math.max(first, heardTo))), height: h, fill: "url(#hatch)", stroke: "var(--red)", "stroke-width": .6 }));
      if (scale * 1000 > 105) {
        let free = -1e9;
        for (const [text, from, to, isHeard] of each.words) {
          if (!seen(from, to) || (!isHeard && from >= until)) continue;
          parts.push(el("line", { class: isHeard ? "l l-agent" : "l l-red dim", x1: x(to), x2: x(to), y1: y + h - 5, y2: y + h }));
          if (x(from) >= free) { parts.push(el("text", { class: isHeard ? "agent" : "red", x: x(from) + 2, y: y + 15 }, text)); free = x(from) + text.length * 5.4; }
        }
      } else if (each.ended !== null) {
        const left = Math.max(GUTTER + 3, x(each.began) + 4);
        parts.push(el("text", { class: "agent", x: left, y: y + 15 }, fits(each.words.filter((word) => word[3]).map((word) => word[0]).join(" "), x(heardTo) - left - 2)));
      }
      out.append(group(each.thing, ...parts));
    }
    for (const each of story.spans) {
      if (each[0] !== "doubt" || !seen(each[2], each[3])) continue;
      out.append(group(each.thing, bar("words", each[2], each[3], "f-amber", { opacity: .38 })));
    }
    if (recording) out.append(el("path", { class: "f-agent half", d: shape(recording.heard, recording.at, recording.step, lanes.out.y, lanes.out.h, loud, true) }));
    for (const at of story.lost) if (seen(at, at)) out.append(el("rect", { class: "f-red", x: x(at) - 1, y: lanes.cutrow.y, width: 2, height: 4 }));
  };

  const STYLES = { phase: "f-sunk", caller: "f-caller-w", agent: "f-agent-w", expected: "f-violet-w", doubt: "f-amber-w", held: "f-amber-w", draft: "f-violet-w", lead: "f-sunk" };
  const beliefs = (out) => {
    for (const each of story.spans) {
      const [row, name, from, to, detail] = each, lane = "row:" + (each.row || row);
      if (!lanes[lane] || !seen(from, to)) continue;
      const isWait = row.startsWith("wait:"), parts = [bar(lane, from, to, isWait ? "f-sunk" : STYLES[row])];
      const left = Math.max(GUTTER + 2, x(from) + 3), text = row === "doubt" || row === "held" || row === "draft" ? detail || name : isWait ? name + ", " + detail : name;
      parts.push(el("text", { class: "row", x: left, y: middle(lane) - .5 }, fits(text, Math.min(x(to), state.width) - left, 5.3)));
      out.append(group(each.thing, ...parts));
    }
    const { y, h } = lanes.over;
    out.append(el("line", { class: "grid dash", x1: GUTTER, x2: state.width, y1: y + h / 2, y2: y + h / 2 }));
    let path = "", before = 0;
    story.endings.forEach(([at, value], index) => {
      const until = index + 1 < story.endings.length ? story.endings[index + 1][0] : LENGTH;
      if (seen(at, until)) path += (path ? "" : "M" + x(Math.max(at, state.from)) + " " + (y + h - before / 100 * h)) + "H" + x(at).toFixed(1) + "V" + (y + h - value / 100 * h).toFixed(1) + "H" + x(Math.min(until, state.to)).toFixed(1);
      before = value;
    });
    if (path) out.append(el("path", { class: "l l-violet", d: path }));
  };

  const WEIGHTS = ["leave", "stop", "decision", "tool", "party", "caller", "reply", "speak", "gain", "other", "note", "listen", "play"];
  const INK = { leave: "red", stop: "red", decision: "violet", tool: "amber", gain: "amber", party: "b", caller: "caller", reply: "agent", speak: "agent", listen: "faint" };
  const LINES = { leave: "l-red", stop: "l-red", decision: "l-violet", tool: "l-amber", gain: "l-amber", caller: "l-caller", reply: "l-agent", speak: "l-agent" };
  const decisions = (out) => {
    const shown = story.decisions.filter((each) => seen(each[0], each[0]));
    const taken = Array.from({ length: 6 }, () => []), { y } = lanes.decisions;
    shown.sort((a, b) => (a[5] === "same") - (b[5] === "same") || WEIGHTS.indexOf(a[1]) - WEIGHTS.indexOf(b[1]) || a[0] - b[0]);
    for (const each of shown) {
      const [at, kind, label, , , when] = each, left = x(at), parts = [];
      parts.push(el("line", { class: "l " + (LINES[kind] || "l-faint"), x1: left, x2: left, y1: y, y2: y + 9 }));
      const text = (when === "then" ? "≠ then: " : when === "now" ? "≠ now: " : "") + fits(label, 46 * 5.9), width = text.length * (kind === "decision" ? 6.6 : 5.9) + 12;
      const isLast = left + width > state.width && left - width > GUTTER, edge = isLast ? left - width + 4 : left;
      const row = taken.findIndex((spans) => spans.every(([from, to]) => edge + width <= from || edge >= to));
      if (row >= 0) {
        taken[row].push([edge, edge + width]);
        const top = y + 11 + row * 16;
        if (row) parts.push(el("line", { class: "l l-faint dim", x1: left, x2: left, y1: y + 9, y2: top + 2 }));
        if (when !== "same") parts.push(el("rect", { class: when === "now" ? "f-violet-w" : "f-sunk", x: edge, y: top, width: width - 4, height: 15, rx: 3 }));
        else parts.push(el("rect", { x: edge, y: top, width: width - 4, height: 15, fill: "transparent" }));
        parts.push(el("text", { class: INK[kind] || "soft", x: isLast ? left - 3 : left + 3, y: top + 11, "text-anchor": isLast ? "end" : "start" }, text));
      }
      parts.push(el("rect", { x: left - 3, y, width: 6, height: 10, fill: "transparent" }));
      out.append(group(each.thing, ...parts));
    }
    for (const at of story.differences) if (seen(at, at)) out.append(el("rect", { class: "f-red", x: x(at) - 1.5, y: y + 6 * 16 + 9, width: 3, height: 5 }));
  };

  const NAMES = { phase: "phase", caller: "caller", agent: "agent", expected: "asked for", doubt: "doubt", held: "stopped", draft: "prepared", lead: "lead", waits0: "waits" };
  const gutter = (out) => {
    out.append(el("rect", { class: "gutter", x: 0, y: 0, width: GUTTER - 2, height }), el("line", { class: "split", x1: GUTTER - 1.5, x2: GUTTER - 1.5, y1: 0, y2: height }));
    const say = (lane, text, style, down = 0) => lanes[lane] && out.append(el("text", { class: style, x: 12, y: middle(lane) + down }, text));
    say("voice", "Caller", "lane", -8); say("voice", recording ? "as recorded" : "level", "row", 6); say("speech", "speech", "row"); say("interim", "words, as they came", "row"); say("turn", "turns", "row");
    say("gap", "gaps and stops", "row"); say("made", "synthesised", "row"); say("words", "Agent", "lane"); say("out", "as recorded", "row");
    for (const row of rows) say("row:" + row, NAMES[row] || "", "row", -.5);
    say("over", "turn over?", "row"); say("decisions", "Decisions", "lane", -44);
  };

  const draw = () => {
    state.width = stage.clientWidth;
    const out = document.createDocumentFragment(), hatch = el("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }), defs = el("defs", {});
    hatch.append(el("line", { x1: 0, x2: 0, y1: 0, y2: 5, stroke: "var(--red)", "stroke-width": 1.6 }));
    defs.append(hatch);
    out.append(defs);
    for (const part of [grid, caller, gaps, agent, beliefs, decisions, gutter]) part(out);
    const head = el("line", { class: "head", y1: 0, y2: height, visibility: "hidden" }), cursor = el("line", { class: "cursor", y1: 16, y2: height, visibility: "hidden" });
    out.append(cursor, head);
    svg.replaceChildren(out);
    state.lines = { head, cursor };
    lines();
    brush();
  };
  const lines = () => {
    const put = (line, at) => {
      const isSeen = at !== null && at >= state.from && at <= state.to;
      line.setAttribute("visibility", isSeen ? "visible" : "hidden");
      if (isSeen) { line.setAttribute("x1", x(at)); line.setAttribute("x2", x(at)); }
    };
    put(state.lines.cursor, state.cursor);
    put(state.lines.head, sound && (sound.currentTime || !sound.paused) ? sound.currentTime * 1000 + recording.at : null);
  };
  let asked = 0;
  const later = () => { asked = asked || requestAnimationFrame(() => { asked = 0; draw(); }); };

  // --- the whole call in small -----------------------------------------------------------------------------------------
  const small = (ms) => ms / LENGTH * overview.clientWidth;
  let brushed = [];
  const whole = () => {
    const width = overview.clientWidth, out = document.createDocumentFragment(), columns = Math.max(1, Math.floor(width / 2));
    const most = new Float64Array(columns);
    const note = (values, from, step) => values.forEach((value, index) => {
      const column = Math.floor((from + index * step) / LENGTH * columns);
      if (column >= 0 && column < columns) most[column] = Math.max(most[column], loud(value));
    });
    if (recording) note(recording.said, recording.at, recording.step); else for (const run of story.windows) note(run.level, run.at, run.step);
    let path = "";
    most.forEach((value, column) => { if (value > .05) path += "M" + column * 2 + " 21v" + (-value * 17).toFixed(1); });
    out.append(el("path", { class: "l l-caller", d: path }));
    for (const each of sounded) {
      if (each.ended !== null) out.append(el("rect", { class: "f-agent", x: small(each.began), y: 24, width: Math.max(1, small(each.ended) - small(each.began)), height: 8, rx: 1.5 }));
      if (each.cut !== null) out.append(el("rect", { class: "f-red", x: small(each.cut), y: 22, width: 2, height: 12 }));
    }
    for (const { gap } of story.turns) if (gap) out.append(el("rect", { class: "f-violet", x: small(gap.began), y: 36, width: Math.max(1.5, small(gap.ended) - small(gap.began)), height: 3 }));
    for (const at of story.differences) out.append(el("rect", { class: "f-red", x: small(at) - .75, y: 41, width: 1.5, height: 4 }));
    brushed = [el("rect", { class: "brush", y: 0, height: 46 }), el("line", { class: "brush-edge", y1: 0, y2: 46 }), el("line", { class: "brush-edge", y1: 0, y2: 46 })];
    out.append(...brushed);
    overview.replaceChildren(out);
    brush();
  };
  const brush = () => {
    if (!brushed.length) return;
    const [from, to] = [small(state.from), small(state.to)], isAll = state.to - state.from >= LENGTH;
    for (const each of brushed) each.setAttribute("visibility", isAll ? "hidden" : "visible");
    brushed[0].setAttribute("x", from); brushed[0].setAttribute("width", Math.max(1, to - from));
    brushed.slice(1).forEach((line, index) => { line.setAttribute("x1", index ? to : from); line.setAttribute("x2", index ? to : from); });
  };

  // --- moving about ----------------------------------------------------------------------------------------------------
  const look = (from, to) => {
    const span = Math.min(LENGTH, Math.max(LEAST, to - from));
    state.from = Math.max(0, Math.min(LENGTH - span, from));
    state.to = state.from + span;
    later();
  };
  const zoom = (factor, at = (state.from + state.to) / 2) => {
    const span = Math.min(LENGTH, Math.max(LEAST, (state.to - state.from) * factor)), share = (at - state.from) / (state.to - state.from);
    look(at - span * share, at + span * (1 - share));
  };
  const move = (share) => { const by = (state.to - state.from) * share; look(state.from + by, state.to + by); };
  const reveal = (from, to) => {
    const span = state.to - state.from, margin = span * .1;
    if (to - from > span * .8) look(from - (to - from) * .2, to + (to - from) * .2);
    else if (from < state.from + margin || to > state.to - margin) look(from - span * .35, from + span * .65);
  };
  const choose = (index) => {
    const found = things[index];
    if (!found) return;
    state.chosen = index;
    state.cursor = found.at;
    fill("chosen", found.title, found.lines);
    showBelief(found.at);
    reveal(found.at, found.until === null ? found.at : found.until);
    if (sound && sound.paused) sound.currentTime = Math.max(0, (found.at - recording.at) / 1000);
    later();
  };
  const now = () => state.cursor === null ? state.from : state.cursor;
  const stepTo = (list, by) => { // the next or the previous of a list of things, from where we are
    const here = list.indexOf(state.chosen);
    if (here >= 0) return choose(list[Math.max(0, Math.min(list.length - 1, here + by))]);
    const found = by > 0 ? list.find((index) => things[index].at >= now()) : list.findLast((index) => things[index].at <= now());
    choose(found === undefined ? list[by > 0 ? list.length - 1 : 0] : found);
  };
  const ofKind = (kind) => things.map((each, index) => index).filter((index) => things[index].kind === kind);
  const nextDifference = () => {
    const at = story.differences.find((each) => each > now()) ?? story.differences[0];
    const index = stops.find((each) => things[each].at === at && story.decisions.some((one) => one.thing === each && one[5] !== "same"));
    if (index !== undefined) choose(index); else if (at !== undefined) { state.cursor = at; reveal(at, at); later(); }
  };
  const acts = {
    in: () => zoom(1 / 1.6), out: () => zoom(1.6), fit: () => look(0, LENGTH), next: () => stepTo(stops, 1), back: () => stepTo(stops, -1),
    difference: nextDifference, gap: () => stepTo(ofKind("gap"), 1),
  };
  const KEYS = { "+": "in", "=": "in", "-": "out", "0": "fit", n: "next", p: "back", g: "gap", d: "difference" };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { ArrowLeft: () => move(-.15), ArrowRight: () => move(.15), PageUp: () => move(-.9), PageDown: () => move(.9), Home: () => look(0, state.to - state.from),
      End: () => look(LENGTH, LENGTH + state.to - state.from), " ": () => sound && (sound.paused ? sound.play() : sound.pause()) }[event.key] || acts[KEYS[event.key]];
    if (act) { event.preventDefault(); act(); }
  });
  document.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", () => acts[button.dataset.do]()));
  document.querySelectorAll("[data-from]").forEach((button) => button.addEventListener("click", () => {
    const from = Number(button.dataset.from), to = Number(button.dataset.to), span = Math.max(4000, (to - from) * 1.6);
    look((from + to) / 2 - span / 2, (from + to) / 2 + span / 2);
    state.cursor = from; showBelief(from);
    stage.scrollIntoView({ block: "center" }); stage.focus({ preventScroll: true });
  }));

  let drag = null;
  const place = (event) => event.clientX - stage.getBoundingClientRect().left;
  stage.addEventListener("pointerdown", (event) => { if (event.button === 0) drag = { px: place(event), from: state.from, to: state.to, moved: false }; });
  addEventListener("pointermove", (event) => {
    if (drag === null) return;
    const by = (drag.px - place(event)) / (state.width - GUTTER - RIGHT) * (drag.to - drag.from);
    if (Math.abs(drag.px - place(event)) > 3) drag.moved = true;
    if (drag.moved) look(drag.from + by, drag.to + by);
  });
  addEventListener("pointerup", () => { setTimeout(() => { drag = null; }, 0); });
  stage.addEventListener("click", (event) => {
    if (drag && drag.moved) return;
    const found = event.target.closest("[data-thing]");
    if (found) return choose(Number(found.dataset.thing));
    if (place(event) > GUTTER) { state.cursor = time(place(event)); state.chosen = null; showBelief(state.cursor); if (sound) sound.currentTime = Math.max(0, (state.cursor - recording.at) / 1000); later(); }
  });
  stage.addEventListener("dblclick", (event) => zoom(1 / 2.5, time(place(event))));
  stage.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); zoom(Math.exp(event.deltaY * .004), time(place(event))); }
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); move((event.deltaX || event.deltaY) / state.width); }
  }, { passive: false });
  stage.addEventListener("pointermove", (event) => {
    const px = place(event), found = event.target.closest("[data-thing], [data-tip]");
    if (px > GUTTER && state.lines) { state.lines.cursor.setAttribute("visibility", "visible"); state.lines.cursor.setAttribute("x1", px); state.lines.cursor.setAttribute("x2", px); }
    tip.hidden = drag !== null && drag.moved || px <= GUTTER;
    if (tip.hidden) return;
    const one = found && found.dataset.thing !== undefined ? things[Number(found.dataset.thing)] : null;
    const told = one ? [one.title, ...one.lines.slice(0, 6).map(([name, value]) => (name ? name + ": " : "") + value)] : found ? JSON.parse(found.dataset.tip) : [clock(time(px)), ...believed(time(px)).slice(1).map(([name, value]) => name + ": " + value)];
    const title = document.createElement("b");
    title.textContent = told[0];
    tip.replaceChildren(title, ...told.slice(1).map((text) => Object.assign(document.createElement("span"), { textContent: text })));
    const top = event.clientY - stage.getBoundingClientRect().top;
    tip.style.left = Math.max(4, Math.min(state.width - tip.offsetWidth - 6, px + 14)) + "px";
    tip.style.top = (top + 18 + tip.offsetHeight > height ? Math.max(0, top - tip.offsetHeight - 12) : top + 18) + "px";
  });
  stage.addEventListener("pointerleave", () => { tip.hidden = true; if (state.lines) lines(); });

  let held_ = false;
  const centre = (event) => {
    const at = (event.clientX - overview.getBoundingClientRect().left) / overview.clientWidth * LENGTH, span = state.to - state.from;
    look(at - span / 2, at + span / 2);
  };
  overview.addEventListener("pointerdown", (event) => { held_ = true; overview.setPointerCapture(event.pointerId); if (state.to - state.from >= LENGTH) zoom(.25); centre(event); });
  overview.addEventListener("pointermove", (event) => { if (held_) centre(event); });
  overview.addEventListener("pointerup", () => { held_ = false; });

  if (sound) {
    sound.addEventListener("error", () => { sound.hidden = true; }, true);
    const follow = () => {
      const at = sound.currentTime * 1000 + recording.at;
      if (at > state.to || at < state.from) look(at - (state.to - state.from) * .1, at + (state.to - state.from) * .9);
      lines(); showBelief(at);
      if (!sound.paused) requestAnimationFrame(follow);
    };
    sound.addEventListener("play", follow);
    sound.addEventListener("seeked", () => lines());
  }
  new ResizeObserver(() => { whole(); later(); }).observe(stage);
  whole();
  draw();
})();
