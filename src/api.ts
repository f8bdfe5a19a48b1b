import { aerobicsRoutes, getCardio } from '#features/aerobics/aerobics.routes.ts';
import { analyticsRoutes } from '#features/analytics/analytics.routes.ts';
import { authRoutes } from '#features/auth/auth.routes.ts';
import { passwordRoutes } from '#features/auth/password.routes.ts';
import { recoveryRoutes } from '#features/auth/recovery.routes.ts';
import { registrationRoutes } from '#features/auth/registration.routes.ts';
import { bootstrapRoutes } from '#features/bootstrap/bootstrap.routes.ts';
import { exercisesRoutes } from '#features/exercises/exercises.routes.ts';
import { exportsRoutes } from '#features/exports/exports.routes.ts';
import { importsRoutes } from '#features/imports/imports.routes.ts';
import { logRoutes } from '#features/log/log.routes.ts';
import { listMeasurementsRoute, measurementsRoutes } from '#features/measurements/measurements.routes.ts';
import { getInbox, messagesRoutes } from '#features/messages/messages.routes.ts';
import { oauthRoutes } from '#features/oauth/oauth.routes.ts';
import { overviewRoutes } from '#features/overview/overview.routes.ts';
import { ownExercisesRoutes } from '#features/ownExercises/ownExercises.routes.ts';
import { pushRoutes } from '#features/push/push.routes.ts';
import { realtimeRoutes } from '#features/realtime/realtime.routes.ts';
import { sessionsRoutes } from '#features/sessions/sessions.routes.ts';
import { getMe, settingsRoutes } from '#features/settings/settings.routes.ts';
import {
  getCalendar,
  getMuscles,
  getSummary,
  listRecords,
  statisticsRoutes,
} from '#features/statistics/statistics.routes.ts';
import { getProfile, usersRoutes } from '#features/users/users.routes.ts';
import { planRoutes } from '#features/workouts/plan.routes.ts';
import { getTracking, trackingRoutes } from '#features/workouts/tracking.routes.ts';
import { getPlan, workoutsRoutes } from '#features/workouts/workouts.routes.ts';

/** Every declared route. `npm run openapi` makes the document and the client's types of them. */
export const api = [
  ...authRoutes,
  ...recoveryRoutes,
  ...registrationRoutes,
  ...usersRoutes,
  ...oauthRoutes,
  ...workoutsRoutes,
  ...trackingRoutes,
  ...messagesRoutes,
  ...exercisesRoutes,
  ...analyticsRoutes,
  ...bootstrapRoutes({
    user: getProfile,
    workout: getPlan,
    tracking: getTracking,
    aerobics: getCardio,
    messages: getInbox,
  }),
  ...aerobicsRoutes,
  ...realtimeRoutes,
  ...pushRoutes,
  ...logRoutes,
  ...ownExercisesRoutes,
  ...statisticsRoutes,
  ...measurementsRoutes,
  ...planRoutes,
  ...settingsRoutes,
  ...sessionsRoutes,
  ...passwordRoutes,
  ...overviewRoutes({
    me: getMe,
    summary: getSummary,
    calendar: getCalendar,
    muscles: getMuscles,
    bodyWeight: listMeasurementsRoute,
    records: listRecords,
  }),
  ...exportsRoutes,
  ...importsRoutes,
];
