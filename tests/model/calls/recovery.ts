import { claimsOf, type Outcome, refused } from '../call.ts';
import { isText, learned } from '../difference.ts';
import type { MailLink } from '../stage.ts';
import { type Account, copyOf, isFoundBy, newAccount, promiseMail, type World } from '../world.ts';
import { asAnybody, type Builder, type Deed, pick, type Scene } from './builder.ts';

const GENDERS = ['Female', '', 'Other'] as const;

const register: Builder = ({ account, person, stage, move }) => {
  const isStatue = move.a % 6 === 5;
  const username = isStatue ? stage.statue.username : (account?.username ?? pick(person.usernames, move.a));
  const email = account?.email ?? pick(person.addresses, move.a);
  // Where it might become a second account of the same person, the model has no word for it.
  const isSecond = (world: World) =>
    world.account && world.account.username !== username && world.account.email !== email;
  if (!isStatue && person.worlds.some(isSecond)) return undefined;
  const fullName = move.b % 3 === 0 ? '' : `${person.firstName} Kay`;
  const gender = pick(GENDERS, move.c);
  const password = pick(person.passwords, move.b);
  const call = asAnybody({
    says: `registers as ${username}`,
    method: 'POST',
    path: '/api/users/create',
    body: { username: move.c % 2 ? username.toUpperCase() : username, fullName, email, password, gender },
    outcomes: (world) => {
      if (isStatue || world.account) return [refused(world, 400, 'USER_EXISTS')];
      const name = fullName || 'User';
      const created = newAccount({ name, email, password, gender: gender || 'Unknown' });
      created.username = move.c % 2 ? username.toUpperCase() : username;
      promiseMail(created, 'mail.verification');
      const user = {
        id: learned(created, 'id', isText),
        username: created.username,
        name,
        email,
        gender: created.gender,
        role: 'User',
        created_at: learned(created, 'createdAt', isText),
      };
      return [{ world: { account: created }, status: 201, body: { message: 'User created successfully!', user } }];
    },
  });
  return { ...call, isAlone: true };
};

/** A link of one of these mails, if any has arrived: mostly the newest. */
async function linkOf({ account, person, stage, move }: Scene, subject: string, kind: string) {
  const isPromised = (account?.mails[kind] ?? 0) > 0;
  const links = await stage.links(person.addresses, subject, isPromised);
  return links.at(-1 - (move.a % 3 === 2 ? move.b % links.length : 0));
}

/** Whether a link is for this account. A lost registration told no id: then it is learned. */
function isFor(account: Account | null, link: MailLink): account is Account {
  if (!account) return false;
  account.id ??= link.userId;
  return account.id === link.userId;
}

const verify: Builder = async (scene) => {
  const link = await linkOf(scene, 'Confirm your Strong Together account', 'mail.verification');
  if (!link) return undefined;
  return asAnybody({
    says: 'opens a verification link',
    method: 'GET',
    path: `/api/auth/verify?token=${link.token}`,
    outcomes: (world) => {
      const next = copyOf(world);
      const { account } = next;
      const { email, epoch } = claimsOf(link.token);
      const isGood =
        isFor(account, link) &&
        account.email === email &&
        (account.isVerified || epoch === undefined || epoch === account.verificationEpoch);
      if (!isGood) return [{ world, status: 401 }];
      account.isVerified = true;
      return [{ world: next, status: 200 }];
    },
  });
};

const resendVerification: Builder = ({ account, person, move }) => {
  const email = account?.email ?? pick(person.addresses, move.a);
  return asAnybody({
    says: 'asks for another verification mail',
    method: 'POST',
    path: '/api/auth/sendverificationemail',
    body: { email: move.b % 2 ? email.toUpperCase() : email },
    outcomes: (world) => {
      const next = copyOf(world);
      if (next.account?.email === email && !next.account.isVerified) promiseMail(next.account, 'mail.verification');
      return [{ world: next, status: 204 }];
    },
  });
};

const correctAddress: Builder = ({ account, person, stage, move }) => {
  const username = account?.username ?? person.usernames[0];
  const password = move.b % 5 === 4 ? 'not the password' : (account?.password ?? person.passwords[0]);
  const isTaken = move.c % 4 === 3;
  const newEmail = isTaken ? stage.statue.email : pick(person.addresses, move.a);
  return asAnybody({
    says: `corrects the address to ${newEmail}`,
    method: 'PUT',
    path: '/api/auth/changeemailverify',
    body: { username, password, newEmail },
    outcomes: (world) => {
      const next = copyOf(world);
      const found = next.account;
      const isTheirs = found?.username?.toLowerCase() === username.toLowerCase();
      if (!found || !isTheirs || found.password !== password) return [refused(world, 401, 'INVALID_CREDENTIALS')];
      if (found.isVerified) return [refused(world, 400, 'ALREADY_VERIFIED')];
      if (isTaken) return [refused(world, 409, 'EMAIL_IN_USE')];
      found.email = newEmail;
      found.verificationEpoch++;
      promiseMail(found, 'mail.verification');
      return [{ world: next, status: 204 }];
    },
  });
};

const checkVerified: Builder = ({ account, person }) => {
  const username = account?.username ?? person.usernames[0];
  return asAnybody({
    says: 'asks whether they are verified',
    method: 'GET',
    path: `/api/auth/checkuserverify?username=${username.toUpperCase()}`,
    outcomes: (world) => {
      const isTheirs = world.account?.username?.toLowerCase() === username.toLowerCase();
      return [{ world, status: 200, body: { isVerified: isTheirs && world.account?.isVerified === true } }];
    },
  });
};

const forgot: Builder = ({ account, person, move }) => {
  const username = account?.username ?? person.usernames[0];
  const identifier = move.a % 2 ? username : (account?.email ?? username);
  return asAnybody({
    says: 'forgot the password',
    method: 'POST',
    path: '/api/auth/forgotpassemail',
    body: { identifier },
    outcomes: (world) => {
      const next = copyOf(world);
      const found = next.account;
      const isTheirs = isFoundBy(found, identifier);
      const outcomes: Outcome[] = isTheirs ? [] : [{ world, status: 204 }];
      if (!found || isTheirs === false || found.password === null || found.email === null)
        return [{ world, status: 204 }];
      promiseMail(found, 'mail.reset');
      return [...outcomes, { world: next, status: 204 }];
    },
  });
};

/** A new password; with it ends all that was begun before (contract 0.7, 1.2). */
function resetPassword(account: Account, password: string): void {
  account.password = password;
  account.passwordEpoch++;
  account.tokenVersion++;
  account.sessionEpoch++;
  account.rotated = null;
  account.isVersionUsed = false;
  account.pendingEmail = null;
  account.pushToken = null;
  account.verificationEpoch++;
  account.keys = {};
  promiseMail(account, 'mail.password-changed');
}

const reset: Builder = async (scene) => {
  const link = await linkOf(scene, 'Reset your password', 'mail.reset');
  if (!link) return forgot(scene);
  const newPassword = pick(scene.person.passwords, scene.move.b);
  return asAnybody({
    says: 'sets a new password',
    method: 'PUT',
    path: `/api/auth/resetpassword?token=${link.token}`,
    body: { newPassword },
    outcomes: (world) => {
      const used = (of: World) => refused(of, 400, 'RESET_TOKEN_USED');
      const { email, fingerprint } = claimsOf(link.token);
      const mark = String(fingerprint);
      const next = copyOf(world);
      const { account } = next;
      if (!isFor(account, link) || account.password === null || account.email !== email) return [used(world)];
      // A link tells of the password that it was made for; when that was is known only by what came of it.
      const outcomes: Outcome[] = [];
      const known = account.fingerprints[mark];
      const current = account.passwordEpoch;
      const isOtherCurrent = Object.values(account.fingerprints).includes(current) && known !== current;
      if (known !== current && (known !== undefined || current > 0)) {
        const outdated = copyOf(next);
        if (outdated.account && known === undefined) outdated.account.fingerprints[mark] = -1;
        outcomes.push(used(outdated));
      }
      if (known === current || (known === undefined && !isOtherCurrent)) {
        account.fingerprints[mark] = current;
        resetPassword(account, newPassword);
        outcomes.push({ world: next, status: 200, body: { ok: true } });
      }
      return outcomes;
    },
  });
};

const confirmAddress: Builder = async (scene) => {
  const link = await linkOf(scene, 'Confirm your Strong Together Email', 'mail.email-change');
  if (!link) return undefined;
  return asAnybody({
    says: 'confirms a new address',
    method: 'GET',
    path: `/api/users/changeemail?token=${link.token}`,
    outcomes: (world) => {
      const next = copyOf(world);
      const { account } = next;
      const { newEmail, oldEmail } = claimsOf(link.token);
      if (!isFor(account, link)) return [{ world, status: 401 }];
      if (account.pendingEmail === newEmail && account.email === oldEmail && isText(newEmail)) {
        if (account.email !== null) promiseMail(account, 'mail.email-changed');
        account.email = newEmail;
        account.pendingEmail = null;
        account.isVerified = true;
        return [{ world: next, status: 200 }];
      }
      return [{ world: next, status: account.email === newEmail ? 200 : 401 }];
    },
  });
};

/** Registration, and everything with links and lost passwords: nobody is signed in. */
export const recovery = {
  register: { routes: ['POST /api/users/create'], build: register },
  verify: { routes: ['GET /api/auth/verify'], build: verify },
  resendVerification: { routes: ['POST /api/auth/sendverificationemail'], build: resendVerification },
  correctAddress: { routes: ['PUT /api/auth/changeemailverify'], build: correctAddress },
  checkVerified: { routes: ['GET /api/auth/checkuserverify'], build: checkVerified },
  forgot: { routes: ['POST /api/auth/forgotpassemail'], build: forgot },
  reset: { routes: ['PUT /api/auth/resetpassword'], build: reset },
  confirmAddress: { routes: ['GET /api/users/changeemail'], build: confirmAddress },
} satisfies Record<string, Deed>;
