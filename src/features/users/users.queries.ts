import { sql } from '#platform/postgres/query.ts';

export interface ProfileRow {
  id: string;
  username: string;
  email: string | null;
  name: string | null;
  gender: string;
  role: string;
  created_at: Date;
  profile_image_url: string | null;
  is_first_login: boolean;
  is_verified: boolean;
  auth_provider: string;
}

export const CREATE_USER = sql<ProfileRow>('users.create')`
  insert into users (username, name, email, password, gender)
  values ($1, $2, $3, $4, $5)
  returning
    id, username, email, name, gender, role, created_at, profile_image_url, is_first_login, is_verified, auth_provider`;

export const FIND_PROFILE = sql<ProfileRow>('users.findProfile')`
  select
    u.id, u.username, u.email, u.name, u.gender, u.role, u.created_at, u.profile_image_url,
    u.is_first_login, u.is_verified, u.auth_provider
  from users u
  where u.id = $1`;
