"""What a carrier does wrong, on request. Values only; `webhooks`, `rest` and `media` carry them out."""

from __future__ import annotations

import msgspec


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All off by default. May stand under `[faults]` for everybody and under `[people.faults]` for one person.

    doubled             every status callback comes twice
    shuffled            status callbacks overtake each other: each pair comes in the wrong order
    late                seconds by which every status callback is late
    lost                webhooks that never arrive: initiated, ringing, answered, completed, amd, voice
    create_hang         seconds that POST /Calls waits *after it has dialled*, before it answers 503
    drop_media_after    seconds after its start at which the media socket breaks without a close
    drop_media_times    how many media sockets of a call break so, one after the other
    garbage_media_after seconds after its start at which nonsense arrives on the media socket
    """

    doubled: bool = False
    shuffled: bool = False
    late: float = 0.0
    lost: tuple[str, ...] = ()
    create_hang: float = 0.0
    drop_media_after: float = 0.0
    drop_media_times: int = 1
    garbage_media_after: float = 0.0

    def over(self, general: Faults) -> Faults:
        """These faults for one person on top of everybody's."""
        return Faults(
            doubled=self.doubled or general.doubled,
            shuffled=self.shuffled or general.shuffled,
            late=self.late or general.late,
            lost=tuple(sorted({*self.lost, *general.lost})),
            create_hang=self.create_hang or general.create_hang,
            drop_media_after=self.drop_media_after or general.drop_media_after,
            drop_media_times=max(self.drop_media_times, general.drop_media_times),
            garbage_media_after=self.garbage_media_after or general.garbage_media_after,
        )
