import { guarded, type Outcome, refused } from '../call.ts';
import { isText, learned } from '../difference.ts';
import { profileView } from '../views.ts';
import { type Account, promiseMail, type World } from '../world.ts';
import { asPhone, type Builder, type Deed, pick } from './builder.ts';
import { missingOf } from './sessions.ts';

interface ProfileForm {
  username?: string;
  fullName?: string;
  email?: string;
  setCompletedOnOAuth?: boolean;
}

/** Endpoints 14 and 15. */
function updated(account: Account, next: World, form: ProfileForm): Outcome[] {
  const missing = missingOf(account);
  const completes = form.setCompletedOnOAuth === true && missing !== null;
  if (completes && missing.includes('email') && account.email === null && form.email === undefined) {
    return [refused(next, 400, 'EMAIL_REQUIRED')];
  }
  const username = form.username ?? account.username;
  if (completes && account.name === null && form.fullName === undefined) {
    delete account.name;
    if (username !== undefined) account.name = username;
  }
  if (form.username !== undefined) account.username = form.username;
  if (form.fullName !== undefined) account.name = form.fullName;
  const emailChanged = form.email !== undefined && form.email !== account.email;
  if (emailChanged) {
    account.pendingEmail = form.email ?? null;
    promiseMail(account, 'mail.email-change');
  }
  if (completes) for (const link of Object.values(account.links)) link.length = 0;
  const body = { message: 'User updated successfully', emailChanged, user: profileView(account) };
  return [{ world: next, status: 200, body }];
}

const update: Builder = (scene) => {
  const { person, stage, move } = scene;
  const forms: ProfileForm[] = [
    { email: pick(person.addresses, move.b) },
    { email: pick(person.addresses, move.b) },
    { username: pick(person.usernames, move.b) },
    { fullName: `${person.firstName} ${['Kay', 'Lee', 'May'][move.b % 3]}` },
    { setCompletedOnOAuth: true, ...(move.b % 2 ? { email: pick(person.addresses, move.c) } : {}) },
    { username: stage.statue.username.toUpperCase() },
    { email: stage.statue.email },
  ];
  const form = pick(forms, move.a);
  const isTaken = form.username === stage.statue.username.toUpperCase() || form.email === stage.statue.email;
  return asPhone(scene, {
    says: `updates ${JSON.stringify(form)}`,
    method: 'PUT',
    path: move.c % 2 ? '/api/users/update' : '/api/users/updateself',
    body: form,
    outcomes: (world, _at, token) =>
      guarded(world, token, (account, next) =>
        isTaken ? [refused(next, 409, 'USERNAME_OR_EMAIL_IN_USE')] : updated(account, next, form),
      ),
  });
};

const savePushToken: Builder = (scene) => {
  const pushToken = pick(scene.person.pushTokens, scene.move.a);
  return {
    ...asPhone(scene, {
      says: `saves ${pushToken}`,
      method: 'PUT',
      path: '/api/users/pushtoken',
      body: { token: pushToken },
      outcomes: (world, _at, token) =>
        guarded(world, token, (account, next) => {
          account.pushToken = pushToken;
          return [{ world: next, status: 204 }];
        }),
    }),
    takes: pushToken,
  };
};

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const BOUNDARY = 'the-boundary';
const formOf = (field: string, bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="me.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`,
    ),
    bytes,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);

const setPicture: Builder = (scene) => {
  const isPicture = scene.move.a % 5 !== 4;
  return asPhone(scene, {
    says: isPicture ? 'sets a picture' : 'sends a picture that is none',
    method: 'PUT',
    path: '/api/users/setprofilepic',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    bytes: formOf('file', isPicture ? PIXEL : Buffer.from('<html></html>')),
    outcomes: (world, _at, token) =>
      guarded(world, token, (account, next) => {
        if (!isPicture) return [refused(next, 400, 'UNSUPPORTED_FILE_TYPE')];
        delete account.picture;
        return [
          {
            world: next,
            status: 201,
            body: {
              message: 'Upload success',
              path: (path) =>
                isText(path) && path.startsWith(`profile_pics/${account.id}/`)
                  ? learned(account, 'picture', isText)(path)
                  : 'is not in their folder',
              url: (url) => (isText(url) && url.includes(`/profile_pics/${account.id}/`) ? undefined : 'is elsewhere'),
            },
          },
        ];
      }),
  });
};

const removePicture: Builder = (scene) => {
  const { account, stage, move } = scene;
  const foreign = `profile_pics/${stage.statue.id}/a.jpg`;
  const path = [null, account?.picture ?? null, foreign][move.a % 3] ?? null;
  return asPhone(scene, {
    says: path === foreign ? "removes somebody else's picture" : 'removes the picture',
    method: 'DELETE',
    path: '/api/users/deleteprofilepic',
    body: { path },
    outcomes: (world, _at, token) =>
      guarded(world, token, (own, next) => {
        if (path === foreign) return [refused(next, 403, 'FORBIDDEN')];
        own.picture = null;
        return [{ world: next, status: 200 }];
      }),
  });
};

const deleteAccount: Builder = (scene) =>
  asPhone(scene, {
    says: 'deletes the account',
    method: 'DELETE',
    path: '/api/users/deleteself',
    outcomes: (world, _at, token) =>
      guarded(world, token, () => [
        { world: { account: null }, status: 200, body: { message: 'User deleted successfully' } },
      ]),
  });

export const profiles = {
  update: { routes: ['PUT /api/users/update', 'PUT /api/users/updateself'], build: update },
  savePushToken: { routes: ['PUT /api/users/pushtoken'], build: savePushToken },
  setPicture: { routes: ['PUT /api/users/setprofilepic'], build: setPicture },
  removePicture: { routes: ['DELETE /api/users/deleteprofilepic'], build: removePicture },
  deleteAccount: { routes: ['DELETE /api/users/deleteself'], build: deleteAccount },
} satisfies Record<string, Deed>;
