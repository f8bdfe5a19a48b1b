import { authRoutes } from '#features/auth/auth.routes.ts';
import { recoveryRoutes } from '#features/auth/recovery.routes.ts';
import { exercisesRoutes } from '#features/exercises/exercises.routes.ts';
import { oauthRoutes } from '#features/oauth/oauth.routes.ts';
import { trackingRoutes } from '#features/tracking/tracking.routes.ts';
import { usersRoutes } from '#features/users/users.routes.ts';
import { workoutsRoutes } from '#features/workouts/workouts.routes.ts';

/** Every declared route. The types of the client come from here. */
export const api = [
  ...authRoutes,
  ...recoveryRoutes,
  ...oauthRoutes,
  ...usersRoutes,
  ...workoutsRoutes,
  ...trackingRoutes,
  ...exercisesRoutes,
];

export type Api = (typeof api)[number];
