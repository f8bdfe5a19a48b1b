import { reauthenticate } from '#identity/credentials.ts';
import { EMAIL_CHANGE_LINK, readLink } from '#identity/linkTokens.ts';
import { ApiError } from '#platform/apiError.ts';
import type { Transaction } from '#platform/postgres/database.ts';
import { reply, route } from '#transport/route.ts';
import { htmlPage, linkQuery, noBody } from '#transport/schemas.ts';
import { removePicture, replacePicture } from './pictures.service.ts';
import { confirmEmail, nameOrEmailInUse, updateProfile } from './profile.service.ts';
import { pictures } from './users.limits.ts';
import { emailChanged as emailChangedPage, emailNotChanged } from './users.pages.ts';
import {
  changedProfile,
  deletion,
  done,
  pictureRemoval,
  profile,
  profileChange,
  pushTokenForm,
  uploadedPicture,
} from './users.schemas.ts';
import { deleteAccount, readProfile, registerPhone } from './users.service.ts';

const emailInUse = () => new ApiError(409, 'EMAIL_IN_USE', 'Email already in use');

const MAX_PICTURE_BYTES = 10 * 1024 * 1024;

/** Two paths, one handler, one limiter: the app uses both. */
const update = <const Path extends string>(path: Path) =>
  route({
    method: 'PUT',
    path,
    auth: 'user',
    transaction: 'manual',
    summary: 'Changes the profile; a new address is pending until its link is opened.',
    body: profileChange,
    responses: { 200: changedProfile },
    errors: [409],
    constraints: { users_username_key: nameOrEmailInUse },
    async handle(context) {
      const { emailChanged, user } = await updateProfile(context, context.body);
      return reply(200, { message: 'User updated successfully', emailChanged, user });
    },
  });

export const getProfile = route({
  method: 'GET',
  path: '/api/users/get',
  auth: 'user',
  transaction: 'auto',
  summary: "The caller's profile.",
  responses: { 200: profile },
  etag: true,
  cache: { namespace: 'profile', dependsOn: ['profile'] },
  handle: async ({ tx, caller }) => reply(200, await readProfile(tx, caller.id)),
});

export const usersRoutes = [
  getProfile,
  update('/api/users/update'),
  update('/api/users/updateself'),
  route({
    method: 'PUT',
    path: '/api/users/pushtoken',
    auth: 'user',
    transaction: 'auto',
    summary: "Makes a phone the caller's; it leaves every other account.",
    access: 'late',
    body: pushTokenForm,
    responses: { 204: noBody },
    async handle({ tx, caller, body }) {
      await registerPhone(tx, caller.id, body.token);
      return reply(204);
    },
  }),
  route({
    method: 'PUT',
    path: '/api/users/setprofilepic',
    auth: 'user',
    transaction: 'manual',
    summary: 'Uploads the profile picture: JPEG, PNG or WebP, at most 10 MiB, in the field file.',
    upload: { field: 'file', maxBytes: MAX_PICTURE_BYTES },
    responses: { 201: uploadedPicture },
    limits: [{ limit: pictures, by: 'user' }],
    async handle({ caller, file, transaction, deps, signal }) {
      const path = await replacePicture(deps, transaction, caller.id, file, signal);
      const base = deps.config.SUPABASE_URL ?? deps.config.PUBLIC_BASE_URL;
      return reply(201, { path, url: `${base}/storage/v1/object/public/${path}`, message: 'Upload success' });
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/users/deleteprofilepic',
    auth: 'user',
    transaction: 'manual',
    summary: "Removes the caller's picture; the path in the body is only compared.",
    body: pictureRemoval,
    responses: { 200: noBody },
    errors: [403],
    async handle({ caller, body, transaction, deps }) {
      await removePicture(deps, transaction, caller.id, body?.path ?? null);
      return reply(200);
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/users/deleteself',
    auth: 'user',
    endsSessions: true,
    transaction: 'auto',
    summary: 'Deletes the account and everything of it.',
    responses: { 200: done },
    async handle({ tx, caller, requestId, deps }) {
      await deleteAccount(tx, deps.outbox, caller.id, requestId);
      tx.afterCommit(() => deps.sockets.recheck(caller.id));
      return reply(200, { message: 'User deleted successfully' });
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/v1/me',
    operation: 'deleteMe',
    auth: 'user',
    endsSessions: true,
    transaction: 'manual',
    summary: 'Deletes the account and everything of it, for the password or a mailed code.',
    body: deletion,
    responses: { 204: noBody },
    errors: [403],
    async handle({ caller, transaction, ...asking }) {
      const { deps, requestId } = asking;
      const service = { ...asking, transaction: <T>(work: (tx: Transaction) => Promise<T>) => deps.db.asService(work) };
      await reauthenticate(service, caller.id, () => transaction(async () => undefined), asking.body);
      await transaction(async (tx) => {
        await deleteAccount(tx, deps.outbox, caller.id, requestId);
        tx.afterCommit(() => deps.sockets.recheck(caller.id));
      });
      return reply(204);
    },
  }),
  route({
    method: 'GET',
    path: '/api/users/changeemail',
    gates: 'none',
    auth: 'public',
    transaction: 'auto',
    summary: 'Opened from the mail to a new address: confirms it.',
    query: linkQuery,
    produces: 'text/html',
    failureTitle: 'Email Not Changed',
    responses: { 200: htmlPage, 400: htmlPage, 401: htmlPage },
    constraints: { users_email_key: emailInUse },
    async handle({ tx, query, deps, requestId }) {
      if (!query.token) return reply(401, emailNotChanged('Missing token'));
      const claims = await readLink(deps.config.secrets, EMAIL_CHANGE_LINK, query.token);
      if (claims === 'malformed') return reply(400, emailNotChanged('Malformed token'));
      if (typeof claims === 'string') return reply(401, emailNotChanged('Invalid or expired link'));
      const outcome = await confirmEmail(tx, deps.outbox, requestId, claims);
      if (outcome === 'gone') return reply(401, emailNotChanged('Invalid or expired link'));
      if (outcome === 'outdated') return reply(401, emailNotChanged('URL already used or expired'));
      return reply(200, emailChangedPage());
    },
  }),
];
