/** Bytes per second in each direction; absent: no limit. Tests: test/engine/job/values.test.ts */
export interface Bandwidth {
  up?: number;
  down?: number;
}

/** From this minute of the week on, in local time; minute 0 is Sunday 00:00. */
export interface BandwidthSlot extends Bandwidth {
  minute: number;
}

/** The limit at an instant (milliseconds since 1970), in the local time of the machine. */
export function bandwidthAt(limit: Bandwidth | readonly BandwidthSlot[], nowMs: number): Bandwidth {
  if (!isTimetable(limit)) return limit;
  const now = new Date(nowMs);
  const minute = (now.getDay() * 24 + now.getHours()) * 60 + now.getMinutes();
  const slots = [...limit].sort((a, b) => a.minute - b.minute);
  // Before the first entry of the week, the last entry of the previous week applies.
  const { minute: _, ...bandwidth } = slots.findLast((slot) => slot.minute <= minute) ?? slots.at(-1) ?? { minute };
  return bandwidth;
}

function isTimetable(limit: Bandwidth | readonly BandwidthSlot[]): limit is readonly BandwidthSlot[] {
  return Array.isArray(limit);
}
