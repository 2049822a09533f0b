// The console's page: one socket of live events, a few reads of /v1, everything written with textContent (never as markup).
"use strict";

const $ = (id) => document.getElementById(id);
const calls = new Map(); // call id -> what its card shows
const campaigns = new Map();
let hands = []; // what a supervisor may do to a live call here
const LINGERS = 9000; // milliseconds an ended call's card stays

// --- words ---------------------------------------------------------------------------------------------------------

const TONES = {
  answered: "good", human: "good", booked: "good", completed: "good", reached: "good", transferred: "good", live: "good", running: "good",
  machine: "info", voicemail: "info", fax: "info", done: "info", finished: "info",
  placed: "wait", ringing: "wait", busy: "wait", no_answer: "wait", waiting: "none", pending: "none", retry: "wait", paused: "wait", call_back: "wait", dialling: "wait", due: "none",
  refused: "rule", suppressed: "rule", deferred: "rule",
  attempting: "none", cancelled: "rule", called_off: "rule",
  opted_out: "bad", invalid_number: "bad", failed: "bad", abandoned: "bad", error: "bad", unknown: "bad", blocked: "bad",
};
const NAMES = { live: "On the line", placed: "Dialling", ringing: "Ringing", no_answer: "No answer", machine: "Voicemail", opted_out: "Opted out", call_back: "To be called back" };
const RULES = {
  dnc_internal: "On our do-not-call list", dnc_national: "National do-not-call list", dnc_state: "State do-not-call list",
  dnc_litigator: "Litigator list", dnc_list_stale: "Do-not-call list too old", dnc_coverage_missing: "No do-not-call data for the area",
  consent_missing: "No consent", consent_revoked: "Consent revoked", consent_expired: "Consent expired", consent_not_written: "Consent not written",
  window_federal: "Calling hours, federal", window_state: "Calling hours, state", zone_unknown: "Time zone unknown", closed_sunday: "Closed on Sunday",
  freq_cap_state: "Called often enough, state", freq_cap_policy: "Called often enough, policy",
};
const ORDER = ["good", "info", "wait", "rule", "bad", "none"];

const plain = (code) => {
  const text = String(code || "");
  const words = (text === text.toUpperCase() ? text.toLowerCase() : text).replaceAll("_", " ").trim();
  return words ? words[0].toUpperCase() + words.slice(1) : "";
};
const named = (code) => NAMES[code] || plain(code);
const tone = (code) => TONES[code] || "none";
const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
};
const masked = (number) => {
  const text = String(number || "");
  const end = text.replace(/\D/g, "").slice(-2);
  return end ? `${text.startsWith("+1") ? "+1 " : ""}••••${end}` : text;
};
const since = (instant) => {
  const seconds = (Date.now() - Date.parse(instant)) / 1000;
  if (!(seconds >= 0)) return "";
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(instant).toLocaleDateString();
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function chip(element, code, text) {
  element.textContent = text || named(code);
  element.dataset.tone = tone(code);
}

// --- live calls ----------------------------------------------------------------------------------------------------

function cardOf(id) {
  if (calls.has(id)) return calls.get(id);
  const card = $("card").content.firstElementChild.cloneNode(true);
  const call = { id, card, lines: card.querySelector(".lines"), interim: null, state: "placed", startedAt: Date.now(), answeredAt: null, name: "", number: "" };
  calls.set(id, call);
  const button = card.querySelector(".hangup");
  button.addEventListener("click", () => hangUp(call, button));
  call.lines.append(make("li", "waiting", "Waiting for somebody to pick up …"));
  $("cards").prepend(card);
  setState(call, "placed");
  count();
  return call;
}

function describe(call, { name, number, direction, agent }) {
  call.name = name || call.name;
  call.number = number || call.number;
  call.card.querySelector("h3").textContent = call.name || masked(call.number) || "Unknown caller";
  const way = direction === "inbound" ? "Incoming" : "Outgoing";
  call.card.querySelector(".sub").textContent = call.name && call.number ? `${masked(call.number)} · ${way}` : way;
  call.card.querySelector(".agent").textContent = agent ? `Agent: ${agent}` : "";
  call.lines.setAttribute("aria-label", `Words of the call with ${call.name || "this caller"}`);
}

function setState(call, state, text) {
  call.state = state;
  call.card.dataset.state = state;
  const label = call.card.querySelector(".chip");
  if (state === "ended") chip(label, text || "ended");
  else chip(label, state);
  call.card.querySelector(".hangup").hidden = state !== "live" || !hands.includes("hangup"); // nobody to hang up on before
}

function addLine(call, kind, text, { isCut = false, by = "" } = {}) {
  call.lines.querySelector(".waiting")?.remove();
  if (kind === "caller" || kind === "interim") dropInterim(call);
  if (!text) return;
  const isAtEnd = call.lines.scrollHeight - call.lines.scrollTop - call.lines.clientHeight < 60;
  const line = make("li", lineClass(kind, isCut));
  if (by) line.append(make("span", "by", by));
  line.append(text);
  if (kind === "interim") call.interim = line;
  call.lines.append(line);
  if (call.interim && kind !== "interim") call.lines.append(call.interim);
  while (call.lines.childElementCount > 200) call.lines.firstElementChild.remove();
  if (isAtEnd) call.lines.scrollTop = call.lines.scrollHeight;
}

function lineClass(kind, isCut) {
  if (kind === "interim") return "line caller interim";
  if (kind === "agent" || kind === "caller") return `line ${kind}${isCut ? " cut" : ""}`;
  return `line note ${kind}`;
}

function dropInterim(call) {
  call.interim?.remove();
  call.interim = null;
}

function endCall(call, disposition, duration) {
  dropInterim(call);
  call.lines.querySelector(".waiting")?.remove();
  setState(call, "ended", disposition);
  call.card.querySelector(".timer").textContent = duration ? clock(duration) : "";
  setTimeout(() => { if (calls.get(call.id) === call) removeCall(call); }, LINGERS);
  count();
}

function removeCall(call) {
  call.card.remove();
  calls.delete(call.id);
  count();
}

async function hangUp(call, button) {
  if (!button.classList.contains("sure")) {
    button.classList.add("sure");
    button.textContent = "Hang up now?";
    setTimeout(() => { button.classList.remove("sure"); button.textContent = "Hang up"; }, 3000);
    return;
  }
  button.disabled = true;
  const answer = await fetch(`/v1/calls/${encodeURIComponent(call.id)}/hangup`, { method: "POST" }).catch(() => null);
  button.disabled = false;
  if (!answer?.ok) button.textContent = "Not done";
}

// --- campaigns -----------------------------------------------------------------------------------------------------

function showCampaign(campaign) {
  let element = campaigns.get(campaign.id)?.element;
  if (!element) {
    element = $("campaign").content.firstElementChild.cloneNode(true);
    $("campaigns").append(element);
  }
  campaigns.set(campaign.id, { ...campaign, element });
  const outcomes = Object.entries(campaign.outcomes || {}).filter(([, n]) => n > 0)
    .sort((one, other) => ORDER.indexOf(tone(one[0])) - ORDER.indexOf(tone(other[0])) || other[1] - one[1]);
  const open = outcomes.filter(([code]) => tone(code) === "none").reduce((sum, [, n]) => sum + n, 0);
  const total = campaign.contacts || outcomes.reduce((sum, [, n]) => sum + n, 0);
  element.querySelector("h3").textContent = campaign.name;
  chip(element.querySelector(".chip"), campaign.state);
  const hold = element.querySelector(".hold");
  hold.hidden = !campaign.hold;
  hold.textContent = campaign.hold ? `Dials nobody: ${campaign.hold_why}` : "";
  const onLine = campaign.live ? `, ${campaign.live} on the line` : "";
  element.querySelector(".progress-text").textContent = `${Math.max(0, total - open)} of ${total} contacts settled${onLine}`;
  const shades = outcomes.map(([code], index) => outcomes.slice(0, index).filter(([other]) => tone(other) === tone(code)).length);
  const paint = (patch, index) => { patch.dataset.fill = tone(outcomes[index][0]); patch.style.opacity = Math.max(0.45, 1 - 0.22 * shades[index]); };
  const bar = element.querySelector(".bar");
  bar.setAttribute("aria-label", outcomes.map(([code, n]) => `${named(code)}: ${n}`).join(", ") || "nothing yet");
  fit(bar, outcomes, (span, [code, n], index) => { paint(span, index); span.style.flexGrow = n; span.title = `${named(code)}: ${n}`; }, "span");
  fit(element.querySelector(".legend"), outcomes, (item, [code, n], index) => {
    const swatch = make("i");
    paint(swatch, index);
    item.replaceChildren(swatch, make("span", "name", named(code)), make("b", "", n));
  }, "li");
  const refusals = Object.entries(campaign.refusals || {}).filter(([, n]) => n > 0).sort((one, other) => other[1] - one[1]);
  const block = element.querySelector(".refusals");
  block.hidden = refusals.length === 0;
  fit(block.querySelector("ul"), refusals, (item, [rule, n]) => item.replaceChildren(make("span", "", RULES[String(rule).toLowerCase()] || plain(rule)), make("b", "", n)), "li");
  count();
}

function fit(parent, items, fill, tag) {
  while (parent.childElementCount > items.length) parent.lastElementChild.remove();
  while (parent.childElementCount < items.length) parent.append(make(tag));
  items.forEach((item, index) => fill(parent.children[index], item, index));
}

function count() {
  const live = [...calls.values()].filter((call) => call.state !== "ended").length;
  let reached = 0, refused = 0;
  for (const campaign of campaigns.values()) {
    for (const [code, n] of Object.entries(campaign.outcomes || {})) {
      if (tone(code) === "good") reached += n;
      if (tone(code) === "rule") refused += n;
    }
  }
  $("total-live").textContent = live;
  $("total-reached").textContent = reached;
  $("total-refused").textContent = refused;
  $("no-calls").hidden = calls.size > 0;
  $("no-campaigns").hidden = campaigns.size > 0;
  document.title = live ? `(${live}) offhook` : "offhook";
}

// --- past calls ----------------------------------------------------------------------------------------------------

const refreshRecent = debounced(async () => {
  const answer = await fetch("/v1/calls?limit=30").catch(() => null);
  if (answer?.status === 401) { location.assign("/sign-in"); return; }
  if (!answer?.ok) return;
  const ended = (await answer.json()).items.filter((call) => call.state === "ended");
  $("recent").replaceChildren(...ended.map(row));
  $("no-recent").hidden = ended.length > 0;
}, 400);

function row(call) {
  const element = make("tr");
  const who = make("td");
  const open = make("button", "open", call.contact_name || masked(call.number));
  who.append(open, make("span", "sub", [call.direction === "inbound" ? "Incoming" : "Outgoing", call.contact_name && masked(call.number)].filter(Boolean).join(" · ")));
  const outcome = make("td");
  const label = make("span", "chip");
  chip(label, call.disposition || "ended");
  outcome.append(label);
  const mood = make("td", "", plain(call.sentiment));
  element.append(
    who, outcome, make("td", "what", call.summary || call.reason || "–"), mood,
    make("td", "number", call.duration ? clock(call.duration) : "–"), make("td", "number", since(call.ended_at || call.started_at)),
  );
  element.addEventListener("click", () => showDetail(call));
  return element;
}

async function showDetail(call) {
  const answer = await fetch(`/v1/calls/${encodeURIComponent(call.id)}/transcript`).catch(() => null);
  const lines = answer?.ok ? (await answer.json()).lines : [];
  $("detail-title").textContent = call.contact_name || masked(call.number);
  $("detail-sub").textContent = [masked(call.number), named(call.disposition), call.duration && clock(call.duration), call.agent].filter(Boolean).join(" · ");
  $("detail-summary").textContent = call.summary || "";
  pairs($("detail-answers"), Object.entries(call.answers || {}).map(([question, value]) => [plain(question), value]));
  $("detail-lines").replaceChildren(...lines.map((line) => {
    const element = make("li", lineClass(line.who, line.is_cut));
    if (line.who === "agent" || line.who === "caller") element.append(make("span", "by", `${line.who === "agent" ? "Agent" : "Caller"} ${clock(line.at)}`));
    element.append(line.text);
    return element;
  }));
  if (!lines.length) $("detail-lines").append(make("li", "line note", "Nothing was said."));
  const figures = Object.entries(call.figures || {});
  $("detail-figures-title").hidden = figures.length === 0;
  pairs($("detail-figures"), figures.map(([name, seconds]) => [plain(name), `${Math.round(seconds * 1000)} ms`]));
  $("detail").showModal();
}

function pairs(list, items) {
  list.replaceChildren(...items.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
}

function debounced(work, wait) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(work, wait); };
}

// --- events --------------------------------------------------------------------------------------------------------

const HANDLERS = {
  snapshot(event) {
    hands = event.hands || [];
    for (const call of [...calls.values()]) removeCall(call);
    $("campaigns").replaceChildren();
    campaigns.clear();
    event.campaigns.forEach(showCampaign);
    [...event.calls].reverse().forEach(showKnown);
    count();
    refreshRecent();
  },
  call_started(event) {
    const call = cardOf(event.call);
    call.startedAt = Date.parse(event.at);
    describe(call, { name: event.contact, number: event.number, direction: event.direction, agent: event.agent });
    setState(call, "ringing");
    count();
  },
  call_answered(event) {
    const call = cardOf(event.call);
    call.answeredAt = Date.parse(event.at);
    setState(call, "live");
    call.lines.querySelector(".waiting")?.remove();
  },
  interim(event) { addLine(cardOf(event.call), "interim", event.text, { by: "Caller" }); },
  caller(event) { addLine(cardOf(event.call), "caller", event.text, { by: "Caller" }); },
  agent(event) { addLine(cardOf(event.call), "agent", event.text, { by: "Agent", isCut: event.is_cut }); },
  decision(event) {
    const call = cardOf(event.call);
    // The agent's line is shown when its sound begins; when the caller takes the floor, its end was never heard.
    if (event.text.startsWith("the caller takes the floor")) [...call.lines.querySelectorAll(".line.agent")].at(-1)?.classList.add("cut");
    addLine(call, "decision", event.text);
  },
  tool(event) { addLine(cardOf(event.call), "tool", plain(event.text)); },
  party(event) { addLine(cardOf(event.call), "party", `${plain(event.text)} on the line`); },
  call_ended(event) {
    if (calls.has(event.call)) endCall(calls.get(event.call), event.disposition, event.duration);
    refreshRecent();
  },
  call_learned() { refreshRecent(); },
  campaign_progress(event) { showCampaign({ ...event, id: event.campaign }); },
  missed() { socket?.close(); }, // the picture has holes: come back for a whole one
};

function showKnown(known) {
  const call = cardOf(known.id);
  call.startedAt = Date.parse(known.started_at) || Date.now();
  call.answeredAt = Date.parse(known.answered_at) || null;
  describe(call, { name: known.contact_name, number: known.number, direction: known.direction, agent: known.agent });
  setState(call, known.state);
  for (const line of known.lines) addLine(call, line.who, line.text, { isCut: line.is_cut, by: { agent: "Agent", caller: "Caller" }[line.who] || "" });
  if (known.interim) addLine(call, "interim", known.interim, { by: "Caller" });
}

let socket = null;
let patience = 500; // milliseconds before the next try; doubles up to ten seconds

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/events`);
  socket.addEventListener("open", () => { patience = 500; link("on", "Live"); });
  socket.addEventListener("message", (message) => {
    const event = JSON.parse(message.data);
    HANDLERS[event.type]?.(event);
  });
  socket.addEventListener("close", () => {
    link("off", "Reconnecting");
    setTimeout(connect, patience);
    patience = Math.min(patience * 2, 10000);
  });
}

function link(state, text) {
  $("link").dataset.state = state;
  $("link-text").textContent = text;
}

function tick() {
  for (const call of calls.values()) {
    if (call.state === "ended") continue;
    const from = call.state === "live" && call.answeredAt ? call.answeredAt : call.startedAt;
    call.card.querySelector(".timer").textContent = clock((Date.now() - from) / 1000);
  }
}

$("show-decisions").addEventListener("change", (change) => document.body.classList.toggle("with-decisions", change.target.checked));
$("detail").addEventListener("click", (click) => { if (click.target === $("detail")) $("detail").close(); });
setInterval(tick, 250);
setInterval(refreshRecent, 60000);
connect();
