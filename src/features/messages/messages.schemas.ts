import { z } from 'zod';

export const message = z.object({
  id: z.guid(),
  subject: z.string(),
  msg: z.string(),
  sent_at: z.iso.datetime({ offset: true }).describe('local time of the requested zone'),
  is_read: z.boolean(),
  sender_full_name: z.string(),
  sender_profile_image_url: z.string().nullable(),
});

export const inbox = z.object({ messages: z.array(message) });
export const messageId = z.object({ id: z.string() });
export const readMessage = z.object({ id: z.guid(), is_read: z.literal(true) });
export const deletedMessage = z.object({ id: z.guid() });
