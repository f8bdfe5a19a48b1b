import { PermanentError } from '#platform/deliveryErrors.ts';

export interface Push {
  to: string;
  title: string;
  body: string;
}

/** The phone will never receive a push under this token again. */
export class DeviceGone extends PermanentError {}

export interface Pusher {
  /**
   * Sends one push; those of the same moment share a request.
   * @returns the ticket, by which its receipt is fetched later
   * @throws DeviceGone, PermanentError, Throttled, or another error that may be tried again
   */
  send(push: Push): Promise<string>;
  /** Those of the tickets whose receipts are available, and whether the phone is gone. */
  receipts(ticketIds: string[]): Promise<Array<{ ticketId: string; isDeviceGone: boolean; error: string | null }>>;
}
