import { PgherdError } from '../lib/errors.ts';

/** The command line cannot be understood. Exit code 2, like a refusal: nothing was touched. */
export class UsageError extends PgherdError {
  constructor(message: string, hint: string) {
    super({ code: 'usage', message, hint });
  }
}
