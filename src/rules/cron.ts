/** Cron expressions, by cron-parser. Tests: test/rules/cron.test.ts */
import { reasonOf } from '../model/errno.js';
import { Wrong } from './values.js';

export interface Cron {
  expression: string;
  /** Absent: that of the machine. */
  timezone?: string;
}

/** @throws Wrong: the expression or its time zone means nothing */
export async function checkCron(cron: Cron): Promise<void> {
  const next = await cronOf(cron);
  next(0);
}

/**
 * Returns when the expression matches next after a time, both in ms since 1970.
 * @throws Wrong
 */
export async function cronOf({ expression, timezone }: Cron): Promise<(afterMs: number) => number> {
  const { CronExpressionParser } = await import('cron-parser');
  // The parser fills missing fields in from the left, which turns a typo into another time.
  const isWhole = /^@\w+$|^(?:\S+\s+){4,5}\S+$/.test(expression.trim());
  if (!isWhole) throw refused(expression, 'it has not five fields');
  refuseTimezone(timezone);
  return (afterMs) => {
    try {
      return CronExpressionParser.parse(expression, { currentDate: new Date(afterMs), tz: timezone })
        .next()
        .getTime();
    } catch (error) {
      throw refused(expression, reasonOf(error));
    }
  };
}

function refused(expression: string, why: string): Wrong {
  const message = `schedule: "${expression}" is not a cron expression: ${why}; write minute, hour, day, month and weekday, such as "*/15 * * * *"`;
  return new Wrong('schedule', 'value', message);
}

/** @throws Wrong */
function refuseTimezone(timezone: string | undefined): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    const message = `timezone: "${timezone}" is not a time zone; write a name such as Asia/Shanghai or UTC`;
    throw new Wrong('timezone', 'value', message);
  }
}
