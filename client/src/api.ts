// Made by `npm run openapi` from openapi.json. Do not edit.

/** A file to upload: bytes with their type, or where React Native finds them. */
export type Upload = Blob | { uri: string; name: string; type: string };

/** Method → path → what a call sends and what it answers when it succeeds. */
export interface Api {
  POST: {
    /** Signs in with a password; DPoP-Key-Binding names the key that the tokens are bound to. */
    '/api/auth/login': {
      input: {
        body: {
          identifier: string;
          password: string;
        };
      };
      output: {
        message: string;
        user: string;
        accessToken: string;
        refreshToken: string;
      };
    };
    /** Exchanges the refresh token in X-Refresh-Token for a new pair, with a proof by the key it is bound to. */
    '/api/auth/refresh': {
      input: object;
      output: {
        message: string;
        accessToken: string;
        refreshToken: string;
        userId: string;
      };
    };
    /** Ends the caller's session on every device. */
    '/api/auth/logout': {
      input: object;
      output: {
        message: string;
      };
    };
    /** Sends another verification mail, if the address belongs to an unverified account. Always 204. */
    '/api/auth/sendverificationemail': {
      input: {
        body: {
          email: string;
        };
      };
      output: undefined;
    };
    /** Sends a reset mail, if the account has a password and an address. Always 204. */
    '/api/auth/forgotpassemail': {
      input: {
        body: {
          identifier: string;
        };
      };
      output: undefined;
    };
    /** Registers a person and sends the verification mail. */
    '/api/users/create': {
      input: {
        body: {
          username: string;
          fullName?: string | null | undefined;
          email: string;
          password: string;
          gender?: 'Male' | 'Female' | 'Other' | 'Unknown' | '' | null | undefined;
        };
      };
      output: {
        message: string;
        user: {
          id: string;
          username: string;
          name: string | null;
          email: string | null;
          gender: string;
          role: string;
          created_at: string;
        };
      };
    };
    /** Signs in with a Google ID token. */
    '/api/oauth/google': {
      input: {
        body: {
          idToken: string;
        };
      };
      output: {
        message: string;
        user: string;
        /** null when nothing is missing, never empty */
        missingFields: Array<'email' | 'name'> | null;
        accessToken: string;
        refreshToken: string | null;
      };
    };
    /** Signs in with an Apple identity token and the nonce that it was asked with. */
    '/api/oauth/apple': {
      input: {
        body: {
          idToken: string;
          rawNonce: string;
          name?: {
            givenName?: string | null | undefined;
            familyName?: string | null | undefined;
          } | null | undefined;
        };
      };
      output: {
        message: string;
        user: string;
        /** null when nothing is missing, never empty */
        missingFields: Array<'email' | 'name'> | null;
        accessToken: string;
        refreshToken: string | null;
      };
    };
    /** Ends the completion of a profile: a full session, bound to the key of the proof. */
    '/api/oauth/proceedauth': {
      input: object;
      output: {
        message: string;
        user: string;
        accessToken: string;
        refreshToken: string;
      };
    };
    /** Creates or edits the active plan. */
    '/api/workouts/add': {
      input: {
        body: {
          workoutData: Record<string, Array<{
            id: number;
            sets: Array<number>;
            order_index?: number | undefined;
          }>>;
          workoutName?: string | undefined;
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        };
        /** Makes repetitions harmless; by itself one for each call. */
        idempotencyKey?: string | undefined;
      };
      output: {
        message: string;
        workoutPlan: {
          id: number;
          name: string;
          numberofsplits: number;
          created_at: string;
          is_deleted: boolean;
          level: string;
          user_id: string;
          trainer_id: string | null;
          is_active: boolean;
          /** local time of the requested zone */
          updated_at: string;
          workoutsplits: Array<{
            id: number;
            workout_id: number;
            name: string;
            created_at: string;
            muscle_group: string | null;
            is_active: boolean;
            exercisetoworkoutsplit: Array<{
              /** exercise-to-split id: what finishworkout wants */
              id: number;
              sets: Array<number>;
              is_active: boolean;
              exercise: string;
              workoutsplit: string;
              targetmuscle: string;
              /** the nearest that the app has a picture for */
              specifictargetmuscle: string;
            }>;
          }>;
        };
        workoutPlanForEditWorkout: Record<string, Array<{
          /** exercise id */
          id: number;
          name: string;
          sets: Array<number>;
          order_index: number;
          targetmuscle: string;
          /** the nearest that the app has a picture for */
          specifictargetmuscle: string;
        }>>;
      };
    };
    /** Stores a workout, once for each start time, and answers with the tracking that includes it. */
    '/api/workouts/finishworkout': {
      input: {
        body: {
          workout: Array<{
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            notes?: string | null | undefined;
          }>;
          workout_start_utc?: string | null | undefined;
          workout_end_utc?: string | null | undefined;
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        };
        /** Makes repetitions harmless; by itself one for each call. */
        idempotencyKey?: string | undefined;
      };
      output: {
        exerciseTrackingAnalysis: {
          /** number of workouts, in spite of its name */
          unique_days: number;
          most_frequent_split: string | null;
          most_frequent_split_days: number | null;
          lastWorkoutDate: string | null;
          splitDaysByName: Record<string, number>;
          prs: {
            /** null without a set, and, except after a finish, without an active plan */
            pr_max: {
              exercise: string;
              weight: number;
              reps: number;
              /** local date of the workout, in spite of its name */
              workout_time_utc: string;
            } | null;
          };
        };
        exerciseTrackingMaps: {
          byDate: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            splitname: string;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
          }>>;
          byETSId: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            splitname: string;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
            workoutdate: string;
          }>>;
          bySplitName: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
            workoutdate: string;
          }>>;
        };
      };
    };
    /** Logs cardio, now; without an Idempotency-Key the same record within a minute is one. */
    '/api/aerobics/add': {
      input: {
        body: {
          record: {
            type: string;
            durationMins: number;
            durationSec?: number | undefined;
          };
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        };
        /** Makes repetitions harmless; by itself one for each call. */
        idempotencyKey?: string | undefined;
      };
      output: {
        daily: Record<string, Array<{
          type: string;
          duration_mins: number;
          duration_sec: number;
        }>>;
        weekly: Record<string, {
          total_duration_mins: number;
          /** sum of the seconds, without carry into minutes */
          total_duration_sec: number;
          records: Array<{
            type: string;
            duration_mins: number;
            duration_sec: number;
            workout_time_utc: string;
          }>;
        }>;
      };
    };
    /** A ticket for the socket handshake, good until it expires or the session ends. */
    '/api/ws/generateticket': {
      input: object;
      output: {
        ticket: string;
      };
    };
    /** Begins a workout with the blocks of another one. */
    '/api/v1/workouts/:id/duplicate': {
      input: {
        params: {
          id: string;
        };
        /** Makes repetitions harmless; by itself one for each call. */
        idempotencyKey?: string | undefined;
      };
      output: {
        id: string;
        version: number;
        title: string;
        notes: string;
        startedAt: string;
        endedAt: string | null;
        timeZone: string;
        splitId: number | null;
        /** `app`, `logbook` or `import`. */
        source: string;
        importId: string | null;
        createdAt: string;
        updatedAt: string;
        blocks: Array<{
          id: string;
          exerciseId: number;
          superset: number | null;
          notes: string;
          sets: Array<{
            kind: 'normal' | 'warmup' | 'drop' | 'failure';
            side: 'left' | 'right' | null;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
            restSec: number | null;
            doneAt: string | null;
          }>;
        }>;
      };
    };
    /** Adds an own exercise; it can be planned in the app, too. */
    '/api/v1/exercises': {
      input: {
        body: {
          name: string;
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          specificMuscle?: string | null | undefined;
          measure?: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance' | undefined;
          equipment?: string | null | undefined;
          secondaryMuscles?: Array<'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs'> | undefined;
          description?: string | undefined;
        };
        /** Makes repetitions harmless; by itself one for each call. */
        idempotencyKey?: string | undefined;
      };
      output: {
        id: number;
        version: number;
        name: string;
        muscle: string;
        specificMuscle: string;
        measure: string;
        equipment: string | null;
        secondaryMuscles: Array<string>;
        description: string;
        isOwn: boolean;
        isArchived: boolean;
      };
    };
    /** Starts a session beside the phone, with a password or a mailed code; its tokens are bound to the key of the proof. */
    '/api/v1/sessions': {
      input: {
        body: {
          /** user name or e-mail */
          identifier?: string | undefined;
          password?: string | undefined;
          email?: string | undefined;
          /** from the mail that POST /sessions/code asks for */
          code?: string | undefined;
          /** shown in the list of sessions */
          name?: string | undefined;
        };
      };
      output: {
        accessToken: string;
        refreshToken: string;
        session: {
          /** a UUID, or "phone" */
          id: string;
          kind: 'phone' | 'other';
          name: string | null;
          /** null for a phone that signed in before this was kept */
          createdAt: string | null;
          /** day, UTC */
          lastUsedOn: string | null;
          current: boolean;
        };
      };
    };
    /** Mails a code of eight digits, if the address belongs to a verified account. Always 204. */
    '/api/v1/sessions/code': {
      input: {
        body: {
          email: string;
        };
      };
      output: undefined;
    };
    /** Exchanges the refresh token in X-Refresh-Token for a new pair, with a proof by the key it is bound to. */
    '/api/v1/sessions/refresh': {
      input: object;
      output: {
        accessToken: string;
        refreshToken: string;
      };
    };
    /** Reads a file of another program or an own export; nothing is in the log before it is committed. */
    '/api/v1/imports': {
      input: {
        body: {
          /** At most 10485760 bytes. */
          file: Upload;
          timeZone: string;
          /** Of weights in a file that names none. */
          unit?: 'kg' | 'lb' | undefined;
          /** Of distances in a file that names none. */
          distanceUnit?: 'm' | 'km' | 'mi' | undefined;
          /** Whether 3/4/2025 is in April (`dmy`) or in March (`mdy`). */
          dateOrder?: 'dmy' | 'mdy' | undefined;
          /** For a file of no known program, JSON: which column is `date`, `time`, `title`, `exercise`, `weight`, `unit`, `reps`, `seconds`, `distance`, `distanceUnit`, `notes`, `kind`, `rpe`, `duration`, by their headers. */
          columns?: string | undefined;
        };
      };
      output: {
        id: string;
        /** `preview`, `committing`, `committed`, `failed` or `undone`. */
        state: string;
        /** Why it failed; it can be committed again or taken back. */
        failure: string | null;
        source: string;
        timeZone: string;
        unit: 'kg' | 'lb' | null;
        distanceUnit: 'm' | 'km' | 'mi' | null;
        dateOrder: 'dmy' | 'mdy' | null;
        columns: Record<string, string> | null;
        duplicates: string;
        createdAt: string;
        workouts: number;
        sets: number;
        firstDay: string | null;
        lastDay: string | null;
        skipped: {
          lines: number;
          /** At most 100. */
          first: Array<{
            line: number;
            /** What is wrong: `date`, `number`, `columns` (too few), `quote` (never closed), `no-exercise`, a field whose value a set may not have (`weight`, `unit`, `reps`, `seconds`, `distance`, `rpe`, `rest`, `superset`), `blocks` (too many); of an own export the place and the reason. */
            reason: string;
          }>;
        };
        /** Columns that nothing reads. */
        ignoredColumns: Array<string>;
        /** What only the person knows: `unit`, `unit-pounds` (kilograms that look like pounds), `unit-kilograms`, `distance-unit`, `date-order`, `decimal-comma`. */
        ambiguous: Array<string>;
        /** Workouts that the log does not have. */
        new: number;
        /** Workouts that the log has with the same content. */
        equal: number;
        /** Workouts that the log has with other content. */
        changed: number;
        /** Of those that changed, the ones that were edited here; at most 100. */
        edited: Array<string>;
        /** Equal and changed ones together. */
        probableDuplicates: number;
        exercises: Array<{
          name: string;
          sets: number;
          /** What becomes of it; null: not decided. */
          match: number | 'create' | 'skip' | null;
          candidates: Array<{
            id: number;
            name: string;
          }>;
          /** Of the exercise that `create` makes; `Other` until somebody says. */
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          /** Of the exercise that `create` makes. */
          measure: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance';
        }>;
        progress: {
          done: number;
          total: number;
          added: number;
        };
      };
    };
    /** Has the import written into the log; one that failed is tried again. Again changes nothing. */
    '/api/v1/imports/:id/commit': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
        /** `preview`, `committing`, `committed`, `failed` or `undone`. */
        state: string;
        /** Why it failed; it can be committed again or taken back. */
        failure: string | null;
        source: string;
        timeZone: string;
        unit: 'kg' | 'lb' | null;
        distanceUnit: 'm' | 'km' | 'mi' | null;
        dateOrder: 'dmy' | 'mdy' | null;
        columns: Record<string, string> | null;
        duplicates: string;
        createdAt: string;
        workouts: number;
        sets: number;
        firstDay: string | null;
        lastDay: string | null;
        skipped: {
          lines: number;
          /** At most 100. */
          first: Array<{
            line: number;
            /** What is wrong: `date`, `number`, `columns` (too few), `quote` (never closed), `no-exercise`, a field whose value a set may not have (`weight`, `unit`, `reps`, `seconds`, `distance`, `rpe`, `rest`, `superset`), `blocks` (too many); of an own export the place and the reason. */
            reason: string;
          }>;
        };
        /** Columns that nothing reads. */
        ignoredColumns: Array<string>;
        /** What only the person knows: `unit`, `unit-pounds` (kilograms that look like pounds), `unit-kilograms`, `distance-unit`, `date-order`, `decimal-comma`. */
        ambiguous: Array<string>;
        /** Workouts that the log does not have. */
        new: number;
        /** Workouts that the log has with the same content. */
        equal: number;
        /** Workouts that the log has with other content. */
        changed: number;
        /** Of those that changed, the ones that were edited here; at most 100. */
        edited: Array<string>;
        /** Equal and changed ones together. */
        probableDuplicates: number;
        exercises: Array<{
          name: string;
          sets: number;
          /** What becomes of it; null: not decided. */
          match: number | 'create' | 'skip' | null;
          candidates: Array<{
            id: number;
            name: string;
          }>;
          /** Of the exercise that `create` makes; `Other` until somebody says. */
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          /** Of the exercise that `create` makes. */
          measure: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance';
        }>;
        progress: {
          done: number;
          total: number;
          added: number;
        };
      };
    };
  };
  GET: {
    /** Opened from the verification mail. Safe to open twice. */
    '/api/auth/verify': {
      input: {
        query?: {
          token?: string | undefined;
        } | undefined;
      };
      output: string;
    };
    /** Whether an account is verified; false for unknown users. */
    '/api/auth/checkuserverify': {
      input: {
        query: {
          username: string;
        };
      };
      output: {
        isVerified: boolean;
      };
    };
    /** The caller's profile. */
    '/api/users/get': {
      input: object;
      output: {
        id: string;
        username: string;
        email: string | null;
        name: string | null;
        gender: string;
        role: string;
        created_at: string;
        profile_image_url: string | null;
        is_first_login: boolean;
        is_verified: boolean;
        auth_provider: string;
      };
    };
    /** Who the caller is, and what they chose: units, first day of the week, zone, reminders. */
    '/api/v1/me': {
      input: object;
      output: {
        version: number;
        username: string;
        email: string | null;
        name: string | null;
        unit: string;
        weekStart: string;
        timeZone: string;
        reminders: {
          isEnabled: boolean;
          minutesBefore: number;
        };
      };
    };
    /** Opened from the mail to a new address: confirms it. */
    '/api/users/changeemail': {
      input: {
        query?: {
          token?: string | undefined;
        } | undefined;
      };
      output: string;
    };
    /** The active plan. */
    '/api/workouts/getworkout': {
      input: {
        query?: {
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        } | undefined;
      };
      output: {
        workoutPlan: {
          id: number;
          name: string;
          numberofsplits: number;
          created_at: string;
          is_deleted: boolean;
          level: string;
          user_id: string;
          trainer_id: string | null;
          is_active: boolean;
          /** local time of the requested zone */
          updated_at: string;
          workoutsplits: Array<{
            id: number;
            workout_id: number;
            name: string;
            created_at: string;
            muscle_group: string | null;
            is_active: boolean;
            exercisetoworkoutsplit: Array<{
              /** exercise-to-split id: what finishworkout wants */
              id: number;
              sets: Array<number>;
              is_active: boolean;
              exercise: string;
              workoutsplit: string;
              targetmuscle: string;
              /** the nearest that the app has a picture for */
              specifictargetmuscle: string;
            }>;
          }>;
        } | null;
        workoutPlanForEditWorkout?: Record<string, Array<{
          /** exercise id */
          id: number;
          name: string;
          sets: Array<number>;
          order_index: number;
          targetmuscle: string;
          /** the nearest that the app has a picture for */
          specifictargetmuscle: string;
        }>>;
      };
    };
    /** Statistics of all workouts and the maps of the last 45 days. */
    '/api/workouts/gettracking': {
      input: {
        query?: {
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        } | undefined;
      };
      output: {
        exerciseTrackingAnalysis: {
          /** number of workouts, in spite of its name */
          unique_days: number;
          most_frequent_split: string | null;
          most_frequent_split_days: number | null;
          lastWorkoutDate: string | null;
          splitDaysByName: Record<string, number>;
          prs: {
            /** null without a set, and, except after a finish, without an active plan */
            pr_max: {
              exercise: string;
              weight: number;
              reps: number;
              /** local date of the workout, in spite of its name */
              workout_time_utc: string;
            } | null;
          };
        };
        exerciseTrackingMaps: {
          byDate: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            splitname: string;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
          }>>;
          byETSId: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            splitname: string;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
            workoutdate: string;
          }>>;
          bySplitName: Record<string, Array<{
            id: number;
            exercisetosplit_id: number;
            weight: Array<number>;
            reps: Array<number>;
            exercise_id: number;
            workoutsplit_id: number;
            exercise: string;
            notes: string;
            order_index: number;
            exercisetoworkoutsplit: {
              sets: Array<number>;
              exercises: {
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              };
            };
            workoutdate: string;
          }>>;
        };
      };
    };
    /** The newest 200 received messages. */
    '/api/messages/getmessages': {
      input: {
        query?: {
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        } | undefined;
      };
      output: {
        messages: Array<{
          id: string;
          subject: string;
          msg: string;
          /** local time of the requested zone */
          sent_at: string;
          is_read: boolean;
          sender_full_name: string;
          sender_profile_image_url: string | null;
        }>;
      };
    };
    /** The catalogue and the own exercises by target muscle, each sorted by name. */
    '/api/exercises/getall': {
      input: object;
      output: Record<string, Array<{
        id: number;
        name: string;
        /** the nearest that the app has a picture for */
        specificTargetMuscle: string;
      }>>;
    };
    /** Estimated one-rep maxima and adherence to the plan. */
    '/api/analytics/get': {
      input: object;
      output: {
        _1RM: Record<string, {
          exercise: string;
          pr_weight: number;
          pr_reps: number;
          max_1rm: number;
        }>;
        goals: Record<string, Record<string, {
          planned: number;
          actual: number;
          adherence_pct: number | null;
        }>>;
      };
    };
    /** What the app needs at its start, in one answer; a part that fails is left out. */
    '/api/bootstrap/get': {
      input: {
        query?: {
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        } | undefined;
      };
      output: {
        user?: {
          id: string;
          username: string;
          email: string | null;
          name: string | null;
          gender: string;
          role: string;
          created_at: string;
          profile_image_url: string | null;
          is_first_login: boolean;
          is_verified: boolean;
          auth_provider: string;
        };
        workout?: {
          workoutPlan: {
            id: number;
            name: string;
            numberofsplits: number;
            created_at: string;
            is_deleted: boolean;
            level: string;
            user_id: string;
            trainer_id: string | null;
            is_active: boolean;
            /** local time of the requested zone */
            updated_at: string;
            workoutsplits: Array<{
              id: number;
              workout_id: number;
              name: string;
              created_at: string;
              muscle_group: string | null;
              is_active: boolean;
              exercisetoworkoutsplit: Array<{
                /** exercise-to-split id: what finishworkout wants */
                id: number;
                sets: Array<number>;
                is_active: boolean;
                exercise: string;
                workoutsplit: string;
                targetmuscle: string;
                /** the nearest that the app has a picture for */
                specifictargetmuscle: string;
              }>;
            }>;
          } | null;
          workoutPlanForEditWorkout?: Record<string, Array<{
            /** exercise id */
            id: number;
            name: string;
            sets: Array<number>;
            order_index: number;
            targetmuscle: string;
            /** the nearest that the app has a picture for */
            specifictargetmuscle: string;
          }>>;
        };
        tracking?: {
          exerciseTrackingAnalysis: {
            /** number of workouts, in spite of its name */
            unique_days: number;
            most_frequent_split: string | null;
            most_frequent_split_days: number | null;
            lastWorkoutDate: string | null;
            splitDaysByName: Record<string, number>;
            prs: {
              /** null without a set, and, except after a finish, without an active plan */
              pr_max: {
                exercise: string;
                weight: number;
                reps: number;
                /** local date of the workout, in spite of its name */
                workout_time_utc: string;
              } | null;
            };
          };
          exerciseTrackingMaps: {
            byDate: Record<string, Array<{
              id: number;
              exercisetosplit_id: number;
              weight: Array<number>;
              reps: Array<number>;
              exercise_id: number;
              workoutsplit_id: number;
              splitname: string;
              exercise: string;
              notes: string;
              order_index: number;
              exercisetoworkoutsplit: {
                sets: Array<number>;
                exercises: {
                  targetmuscle: string;
                  /** the nearest that the app has a picture for */
                  specifictargetmuscle: string;
                };
              };
            }>>;
            byETSId: Record<string, Array<{
              id: number;
              exercisetosplit_id: number;
              weight: Array<number>;
              reps: Array<number>;
              exercise_id: number;
              workoutsplit_id: number;
              splitname: string;
              exercise: string;
              notes: string;
              order_index: number;
              exercisetoworkoutsplit: {
                sets: Array<number>;
                exercises: {
                  targetmuscle: string;
                  /** the nearest that the app has a picture for */
                  specifictargetmuscle: string;
                };
              };
              workoutdate: string;
            }>>;
            bySplitName: Record<string, Array<{
              id: number;
              exercisetosplit_id: number;
              weight: Array<number>;
              reps: Array<number>;
              exercise_id: number;
              workoutsplit_id: number;
              exercise: string;
              notes: string;
              order_index: number;
              exercisetoworkoutsplit: {
                sets: Array<number>;
                exercises: {
                  targetmuscle: string;
                  /** the nearest that the app has a picture for */
                  specifictargetmuscle: string;
                };
              };
              workoutdate: string;
            }>>;
          };
        };
        aerobics?: {
          daily: Record<string, Array<{
            type: string;
            duration_mins: number;
            duration_sec: number;
          }>>;
          weekly: Record<string, {
            total_duration_mins: number;
            /** sum of the seconds, without carry into minutes */
            total_duration_sec: number;
            records: Array<{
              type: string;
              duration_mins: number;
              duration_sec: number;
              workout_time_utc: string;
            }>;
          }>;
        };
        messages?: {
          messages: Array<{
            id: string;
            subject: string;
            msg: string;
            /** local time of the requested zone */
            sent_at: string;
            is_read: boolean;
            sender_full_name: string;
            sender_profile_image_url: string | null;
          }>;
        };
      };
    };
    /** Cardio of the last 45 days by day and by week from Sunday. */
    '/api/aerobics/get': {
      input: {
        query?: {
          /** IANA zone, such as Europe/Paris */
          tz?: string | undefined;
        } | undefined;
      };
      output: {
        daily: Record<string, Array<{
          type: string;
          duration_mins: number;
          duration_sec: number;
        }>>;
        weekly: Record<string, {
          total_duration_mins: number;
          /** sum of the seconds, without carry into minutes */
          total_duration_sec: number;
          records: Array<{
            type: string;
            duration_mins: number;
            duration_sec: number;
            workout_time_utc: string;
          }>;
        }>;
      };
    };
    /** Enqueues one push for everybody with a phone, once a local day. */
    '/api/push/daily': {
      input: object;
      output: {
        success: true;
        message: string;
      };
    };
    /** Enqueues the reminders that fall due within 24 hours, each once. */
    '/api/push/hourlyreminder': {
      input: object;
      output: {
        success: true;
        message: string;
      };
    };
    /** Workouts of the log with blocks and sets, newest first. */
    '/api/v1/workouts': {
      input: {
        query?: {
          /** How many, at most 200. */
          limit?: number | undefined;
          /** nextCursor of the page before. */
          cursor?: string | undefined;
          from?: string | undefined;
          to?: string | undefined;
          tz?: string | undefined;
          exerciseId?: number | undefined;
          /** In title, notes or names of exercises. */
          q?: string | undefined;
        } | undefined;
      };
      output: {
        items: Array<{
          id: string;
          version: number;
          title: string;
          notes: string;
          startedAt: string;
          endedAt: string | null;
          timeZone: string;
          splitId: number | null;
          /** `app`, `logbook` or `import`. */
          source: string;
          importId: string | null;
          createdAt: string;
          updatedAt: string;
          blocks: Array<{
            id: string;
            exerciseId: number;
            superset: number | null;
            notes: string;
            sets: Array<{
              kind: 'normal' | 'warmup' | 'drop' | 'failure';
              side: 'left' | 'right' | null;
              weight: number | null;
              unit: 'kg' | 'lb' | null;
              reps: number | null;
              seconds: number | null;
              distanceM: number | null;
              rpe: number | null;
              restSec: number | null;
              doneAt: string | null;
            }>;
          }>;
        }>;
        nextCursor: string | null;
      };
    };
    /** A workout of the log. */
    '/api/v1/workouts/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
        version: number;
        title: string;
        notes: string;
        startedAt: string;
        endedAt: string | null;
        timeZone: string;
        splitId: number | null;
        /** `app`, `logbook` or `import`. */
        source: string;
        importId: string | null;
        createdAt: string;
        updatedAt: string;
        blocks: Array<{
          id: string;
          exerciseId: number;
          superset: number | null;
          notes: string;
          sets: Array<{
            kind: 'normal' | 'warmup' | 'drop' | 'failure';
            side: 'left' | 'right' | null;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
            restSec: number | null;
            doneAt: string | null;
          }>;
        }>;
      };
    };
    /** The catalogue and the own exercises, by name. */
    '/api/v1/exercises': {
      input: object;
      output: {
        items: Array<{
          id: number;
          version: number;
          name: string;
          muscle: string;
          specificMuscle: string;
          measure: string;
          equipment: string | null;
          secondaryMuscles: Array<string>;
          description: string;
          isOwn: boolean;
          isArchived: boolean;
        }>;
      };
    };
    /** What was done with an exercise, workout by workout, newest first. */
    '/api/v1/exercises/:id/history': {
      input: {
        query?: {
          /** How many, at most 200. */
          limit?: number | undefined;
          /** nextCursor of the page before. */
          cursor?: string | undefined;
          from?: string | undefined;
          to?: string | undefined;
          tz?: string | undefined;
        } | undefined;
        params: {
          id: number;
        };
      };
      output: {
        items: Array<{
          workoutId: string;
          startedAt: string;
          title: string;
          sets: Array<{
            kind: string;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
          }>;
          /** The heaviest; of equal ones that with the most reps. */
          bestSet: {
            kind: string;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
          } | null;
          oneRepMax: {
            kg: number;
            formula: 'lifted' | 'epley' | 'brzycki' | 'oconner';
          } | null;
          /** Weight times reps of all sets but warm-ups. */
          volumeKg: number;
        }>;
        nextCursor: string | null;
      };
    };
    /** What was done with an exercise last time. */
    '/api/v1/exercises/:id/last': {
      input: {
        params: {
          id: number;
        };
      };
      output: {
        last: {
          workoutId: string;
          startedAt: string;
          sets: Array<{
            kind: string;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
          }>;
        } | null;
      };
    };
    /** The bests of every exercise that was done. */
    '/api/v1/records': {
      input: object;
      output: {
        items: Array<{
          exerciseId: number;
          exercise: string;
          /** With the most reps at that weight. */
          heaviest: {
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            /** In the zone of the workout. */
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
          bestOneRepMax: {
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            /** In the zone of the workout. */
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
            kg: number;
            formula: 'lifted' | 'epley' | 'brzycki' | 'oconner';
          } | null;
          mostReps: {
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            /** In the zone of the workout. */
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
          /** Kilograms. */
          mostVolumeInSet: {
            value: number;
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
          /** Kilograms. */
          mostVolumeInWorkout: {
            value: number;
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
          /** Seconds. */
          longest: {
            value: number;
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
          /** Metres. */
          farthest: {
            value: number;
            day: string;
            workoutId: string;
            /** When it was reached for the first time; `day` is the last time. */
            firstDay: string;
          } | null;
        }>;
      };
    };
    /** This week, the mean of the four before, and everything. */
    '/api/v1/stats/summary': {
      input: {
        query?: {
          tz?: string | undefined;
          weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | undefined;
        } | undefined;
      };
      output: {
        week: {
          workouts: number;
          sets: number;
          minutes: number;
          volumeKg: number;
          from: string;
        };
        /** A week of the four before. */
        average: {
          workouts: number;
          sets: number;
          minutes: number;
          volumeKg: number;
        };
        all: {
          workouts: number;
          sets: number;
          minutes: number;
          volumeKg: number;
        };
        lastWorkoutAt: string | null;
      };
    };
    /** Workouts, sets, minutes and volume of each day on which there were any. */
    '/api/v1/stats/calendar': {
      input: {
        query: {
          from: string;
          to: string;
          tz?: string | undefined;
        };
      };
      output: {
        days: Array<{
          workouts: number;
          sets: number;
          minutes: number;
          volumeKg: number;
          day: string;
        }>;
      };
    };
    /** Hard sets for each muscle and week; for helping muscles half. */
    '/api/v1/stats/muscles': {
      input: {
        query: {
          from: string;
          to: string;
          tz?: string | undefined;
          weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | undefined;
        };
      };
      output: {
        weeks: Array<{
          from: string;
          hardSets: Record<string, number>;
        }>;
      };
    };
    /** Workouts, sets, minutes and volume of each week. */
    '/api/v1/stats/volume': {
      input: {
        query: {
          from: string;
          to: string;
          tz?: string | undefined;
          weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | undefined;
          by?: 'week' | undefined;
        };
      };
      output: {
        weeks: Array<{
          workouts: number;
          sets: number;
          minutes: number;
          volumeKg: number;
          from: string;
        }>;
      };
    };
    /** Measurements, newest first. */
    '/api/v1/measurements': {
      input: {
        query?: {
          /** How many, at most 200. */
          limit?: number | undefined;
          /** nextCursor of the page before. */
          cursor?: string | undefined;
          /** `body_weight`, `body_fat`, `neck`, `shoulders`, `chest`, `waist`, `hips`, `arm_left` and so on, or an own name. */
          kind?: string | undefined;
          from?: string | undefined;
          to?: string | undefined;
        } | undefined;
      };
      output: {
        items: Array<{
          id: string;
          version: number;
          kind: string;
          value: number;
          unit: string;
          measuredAt: string;
        }>;
        nextCursor: string | null;
      };
    };
    /** A measurement. */
    '/api/v1/measurements/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
        version: number;
        kind: string;
        value: number;
        unit: string;
        measuredAt: string;
      };
    };
    /** The active plan; without one, its name is null and there are no splits. */
    '/api/v1/plan': {
      input: object;
      output: {
        version: number;
        id: number | null;
        name: string | null;
        splits: Array<{
          /** what a workout of the log names as splitId */
          id: number;
          name: string;
          exercises: Array<{
            id: number;
            exerciseId: number;
            name: string;
            muscle: string;
            sets: Array<number>;
          }>;
        }>;
      };
    };
    /** The phone's session and those beside it. */
    '/api/v1/sessions': {
      input: object;
      output: {
        items: Array<{
          /** a UUID, or "phone" */
          id: string;
          kind: 'phone' | 'other';
          name: string | null;
          /** null for a phone that signed in before this was kept */
          createdAt: string | null;
          /** day, UTC */
          lastUsedOn: string | null;
          current: boolean;
        }>;
        nextCursor: null;
      };
    };
    /** What a first screen shows, in one answer; a part that fails is left out. */
    '/api/v1/overview': {
      input: {
        query: {
          from: string;
          to: string;
          tz?: string | undefined;
          weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | undefined;
        };
      };
      output: {
        me?: {
          version: number;
          username: string;
          email: string | null;
          name: string | null;
          unit: string;
          weekStart: string;
          timeZone: string;
          reminders: {
            isEnabled: boolean;
            minutesBefore: number;
          };
        };
        summary?: {
          week: {
            workouts: number;
            sets: number;
            minutes: number;
            volumeKg: number;
            from: string;
          };
          /** A week of the four before. */
          average: {
            workouts: number;
            sets: number;
            minutes: number;
            volumeKg: number;
          };
          all: {
            workouts: number;
            sets: number;
            minutes: number;
            volumeKg: number;
          };
          lastWorkoutAt: string | null;
        };
        calendar?: {
          days: Array<{
            workouts: number;
            sets: number;
            minutes: number;
            volumeKg: number;
            day: string;
          }>;
        };
        muscles?: {
          weeks: Array<{
            from: string;
            hardSets: Record<string, number>;
          }>;
        };
        bodyWeight?: {
          items: Array<{
            id: string;
            version: number;
            kind: string;
            value: number;
            unit: string;
            measuredAt: string;
          }>;
          nextCursor: string | null;
        };
        records?: {
          items: Array<{
            exerciseId: number;
            exercise: string;
            /** With the most reps at that weight. */
            heaviest: {
              weight: number | null;
              unit: 'kg' | 'lb' | null;
              reps: number | null;
              /** In the zone of the workout. */
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
            bestOneRepMax: {
              weight: number | null;
              unit: 'kg' | 'lb' | null;
              reps: number | null;
              /** In the zone of the workout. */
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
              kg: number;
              formula: 'lifted' | 'epley' | 'brzycki' | 'oconner';
            } | null;
            mostReps: {
              weight: number | null;
              unit: 'kg' | 'lb' | null;
              reps: number | null;
              /** In the zone of the workout. */
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
            /** Kilograms. */
            mostVolumeInSet: {
              value: number;
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
            /** Kilograms. */
            mostVolumeInWorkout: {
              value: number;
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
            /** Seconds. */
            longest: {
              value: number;
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
            /** Metres. */
            farthest: {
              value: number;
              day: string;
              workoutId: string;
              /** When it was reached for the first time; `day` is the last time. */
              firstDay: string;
            } | null;
          }>;
        };
      };
    };
    /** Everything of the logbook; imported into another account, it is the same again. */
    '/api/v1/exports/logbook.json': {
      input: object;
      output: {
        format: string;
        formatVersion: number;
      };
    };
    /** All sets in Hevy's columns, in the unit of most loads. */
    '/api/v1/exports/hevy.csv': {
      input: object;
      output: string;
    };
    /** All sets in Strong's columns. */
    '/api/v1/exports/strong.csv': {
      input: {
        query?: {
          unit?: 'kg' | 'lb' | undefined;
        } | undefined;
      };
      output: string;
    };
    /** All that is stored about the caller, as JSON and CSV, with a README. */
    '/api/v1/exports/archive.zip': {
      input: object;
      output: Blob;
    };
    /** The last fifty imports, newest first. */
    '/api/v1/imports': {
      input: object;
      output: {
        items: Array<{
          id: string;
          /** `preview`, `committing`, `committed`, `failed` or `undone`. */
          state: string;
          /** Why it failed; it can be committed again or taken back. */
          failure: string | null;
          source: string;
          createdAt: string;
          workouts: number;
          progress: {
            done: number;
            total: number;
            added: number;
          };
        }>;
      };
    };
    /** An import: its preview, or how far it is. */
    '/api/v1/imports/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
        /** `preview`, `committing`, `committed`, `failed` or `undone`. */
        state: string;
        /** Why it failed; it can be committed again or taken back. */
        failure: string | null;
        source: string;
        timeZone: string;
        unit: 'kg' | 'lb' | null;
        distanceUnit: 'm' | 'km' | 'mi' | null;
        dateOrder: 'dmy' | 'mdy' | null;
        columns: Record<string, string> | null;
        duplicates: string;
        createdAt: string;
        workouts: number;
        sets: number;
        firstDay: string | null;
        lastDay: string | null;
        skipped: {
          lines: number;
          /** At most 100. */
          first: Array<{
            line: number;
            /** What is wrong: `date`, `number`, `columns` (too few), `quote` (never closed), `no-exercise`, a field whose value a set may not have (`weight`, `unit`, `reps`, `seconds`, `distance`, `rpe`, `rest`, `superset`), `blocks` (too many); of an own export the place and the reason. */
            reason: string;
          }>;
        };
        /** Columns that nothing reads. */
        ignoredColumns: Array<string>;
        /** What only the person knows: `unit`, `unit-pounds` (kilograms that look like pounds), `unit-kilograms`, `distance-unit`, `date-order`, `decimal-comma`. */
        ambiguous: Array<string>;
        /** Workouts that the log does not have. */
        new: number;
        /** Workouts that the log has with the same content. */
        equal: number;
        /** Workouts that the log has with other content. */
        changed: number;
        /** Of those that changed, the ones that were edited here; at most 100. */
        edited: Array<string>;
        /** Equal and changed ones together. */
        probableDuplicates: number;
        exercises: Array<{
          name: string;
          sets: number;
          /** What becomes of it; null: not decided. */
          match: number | 'create' | 'skip' | null;
          candidates: Array<{
            id: number;
            name: string;
          }>;
          /** Of the exercise that `create` makes; `Other` until somebody says. */
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          /** Of the exercise that `create` makes. */
          measure: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance';
        }>;
        progress: {
          done: number;
          total: number;
          added: number;
        };
      };
    };
  };
  PUT: {
    /** Corrects the address of an unverified account; earlier verification links die. */
    '/api/auth/changeemailverify': {
      input: {
        body: {
          username: string;
          password: string;
          newEmail: string;
        };
      };
      output: undefined;
    };
    /** Sets a new password with the token of a reset mail: once, and every phone is signed out. */
    '/api/auth/resetpassword': {
      input: {
        query?: {
          token?: string | undefined;
        } | undefined;
        body: {
          newPassword: string;
        };
      };
      output: {
        ok: true;
      };
    };
    /** Changes the profile; a new address is pending until its link is opened. */
    '/api/users/update': {
      input: {
        body: {
          username?: string | undefined;
          fullName?: string | undefined;
          email?: string | undefined;
          setCompletedOnOAuth?: boolean | undefined;
        };
      };
      output: {
        message: string;
        emailChanged: boolean;
        user: {
          id: string;
          username: string;
          email: string | null;
          name: string | null;
          gender: string;
          role: string;
          created_at: string;
          profile_image_url: string | null;
          is_first_login: boolean;
          is_verified: boolean;
          auth_provider: string;
        };
      };
    };
    /** Changes the profile; a new address is pending until its link is opened. */
    '/api/users/updateself': {
      input: {
        body: {
          username?: string | undefined;
          fullName?: string | undefined;
          email?: string | undefined;
          setCompletedOnOAuth?: boolean | undefined;
        };
      };
      output: {
        message: string;
        emailChanged: boolean;
        user: {
          id: string;
          username: string;
          email: string | null;
          name: string | null;
          gender: string;
          role: string;
          created_at: string;
          profile_image_url: string | null;
          is_first_login: boolean;
          is_verified: boolean;
          auth_provider: string;
        };
      };
    };
    /** Makes a phone the caller's; it leaves every other account. */
    '/api/users/pushtoken': {
      input: {
        body: {
          token: string;
        };
      };
      output: undefined;
    };
    /** Uploads the profile picture: JPEG, PNG or WebP, at most 10 MiB, in the field file. */
    '/api/users/setprofilepic': {
      input: {
        body: {
          /** At most 10485760 bytes. */
          file: Upload;
        };
      };
      output: {
        path: string;
        url: string;
        message: string;
      };
    };
    /** Marks a received message as read. */
    '/api/messages/markasread/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
        is_read: true;
      };
    };
    /** Creates or replaces a workout, under an id of the caller. Repeating it changes nothing. */
    '/api/v1/workouts/:id': {
      input: {
        params: {
          id: string;
        };
        body: {
          /** Read only. */
          id?: string | undefined;
          /** Read only: for If-Match. */
          version?: number | undefined;
          /** Read only. */
          source?: string | undefined;
          /** Read only. */
          importId?: string | null | undefined;
          /** Read only. */
          createdAt?: string | undefined;
          /** Read only. */
          updatedAt?: string | undefined;
          title: string;
          notes?: string | undefined;
          startedAt: string;
          endedAt?: string | null | undefined;
          timeZone: string;
          splitId?: number | null | undefined;
          blocks: Array<{
            id: string;
            superset?: number | null | undefined;
            notes?: string | undefined;
            exerciseId: number;
            sets: Array<{
              kind?: 'normal' | 'warmup' | 'drop' | 'failure' | undefined;
              side?: 'left' | 'right' | null | undefined;
              /** As it was entered, in `unit`. */
              weight?: number | null | undefined;
              unit?: 'kg' | 'lb' | null | undefined;
              reps?: number | null | undefined;
              seconds?: number | null | undefined;
              distanceM?: number | null | undefined;
              rpe?: number | null | undefined;
              restSec?: number | null | undefined;
              doneAt?: string | null | undefined;
            }>;
          }>;
        };
      };
      output: {
        id: string;
        version: number;
        title: string;
        notes: string;
        startedAt: string;
        endedAt: string | null;
        timeZone: string;
        splitId: number | null;
        /** `app`, `logbook` or `import`. */
        source: string;
        importId: string | null;
        createdAt: string;
        updatedAt: string;
        blocks: Array<{
          id: string;
          exerciseId: number;
          superset: number | null;
          notes: string;
          sets: Array<{
            kind: 'normal' | 'warmup' | 'drop' | 'failure';
            side: 'left' | 'right' | null;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
            restSec: number | null;
            doneAt: string | null;
          }>;
        }>;
      } | {
        id: string;
        version: number;
        title: string;
        notes: string;
        startedAt: string;
        endedAt: string | null;
        timeZone: string;
        splitId: number | null;
        /** `app`, `logbook` or `import`. */
        source: string;
        importId: string | null;
        createdAt: string;
        updatedAt: string;
        blocks: Array<{
          id: string;
          exerciseId: number;
          superset: number | null;
          notes: string;
          sets: Array<{
            kind: 'normal' | 'warmup' | 'drop' | 'failure';
            side: 'left' | 'right' | null;
            weight: number | null;
            unit: 'kg' | 'lb' | null;
            reps: number | null;
            seconds: number | null;
            distanceM: number | null;
            rpe: number | null;
            restSec: number | null;
            doneAt: string | null;
          }>;
        }>;
      };
    };
    /** Changes an own exercise. Its name counts wherever it was done. */
    '/api/v1/exercises/:id': {
      input: {
        params: {
          id: number;
        };
        body: {
          name: string;
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          specificMuscle?: string | null | undefined;
          measure?: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance' | undefined;
          equipment?: string | null | undefined;
          secondaryMuscles?: Array<'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs'> | undefined;
          description?: string | undefined;
          /** Read only. */
          id?: number | undefined;
          /** Read only: for If-Match. */
          version?: number | undefined;
          /** Read only. */
          isOwn?: boolean | undefined;
          /** An archived exercise is offered no more. */
          isArchived?: boolean | undefined;
        };
      };
      output: {
        id: number;
        version: number;
        name: string;
        muscle: string;
        specificMuscle: string;
        measure: string;
        equipment: string | null;
        secondaryMuscles: Array<string>;
        description: string;
        isOwn: boolean;
        isArchived: boolean;
      };
    };
    /** Creates or replaces a measurement, under an id of the caller. */
    '/api/v1/measurements/:id': {
      input: {
        params: {
          id: string;
        };
        body: {
          /** Read only. */
          id?: string | undefined;
          /** Read only: for If-Match. */
          version?: number | undefined;
          /** `body_weight`, `body_fat`, `neck`, `shoulders`, `chest`, `waist`, `hips`, `arm_left` and so on, or an own name. */
          kind: string;
          value: number;
          unit: 'kg' | 'lb' | '%' | 'cm' | 'in' | 'mm';
          measuredAt: string;
        };
      };
      output: {
        id: string;
        version: number;
        kind: string;
        value: number;
        unit: string;
        measuredAt: string;
      } | {
        id: string;
        version: number;
        kind: string;
        value: number;
        unit: string;
        measuredAt: string;
      };
    };
    /** Creates or edits the active plan. Splits and exercises that stay keep their ids and their history. */
    '/api/v1/plan': {
      input: {
        body: {
          /** Read only. */
          id?: unknown;
          /** Read only. */
          version?: unknown;
          name: string;
          splits: Array<{
            /** Read only. */
            id?: unknown;
            name: string;
            exercises: Array<{
              /** Read only. */
              id?: unknown;
              /** Read only. */
              name?: unknown;
              /** Read only. */
              muscle?: unknown;
              exerciseId: number;
              /** Reps of each set. */
              sets: Array<number>;
            }>;
          }>;
        };
      };
      output: {
        version: number;
        id: number | null;
        name: string | null;
        splits: Array<{
          /** what a workout of the log names as splitId */
          id: number;
          name: string;
          exercises: Array<{
            id: number;
            exerciseId: number;
            name: string;
            muscle: string;
            sets: Array<number>;
          }>;
        }>;
      };
    };
    /** Sets a new password, for the old one or a mailed code; all other sessions end, the phone among them. */
    '/api/v1/me/password': {
      input: {
        body: {
          password?: string | undefined;
          /** from the mail that POST /sessions/code asks for */
          code?: string | undefined;
          newPassword: string;
        };
      };
      output: undefined;
    };
  };
  DELETE: {
    /** Removes the caller's picture; the path in the body is only compared. */
    '/api/users/deleteprofilepic': {
      input: {
        body?: {
          path?: string | null | undefined;
        } | undefined;
      };
      output: undefined;
    };
    /** Deletes the account and everything of it. */
    '/api/users/deleteself': {
      input: object;
      output: {
        message: string;
      };
    };
    /** Deletes the account and everything of it, for the password or a mailed code. */
    '/api/v1/me': {
      input: {
        body: {
          password?: string | undefined;
          /** from the mail that POST /sessions/code asks for */
          code?: string | undefined;
        };
      };
      output: undefined;
    };
    /** Not available: answers 501 and changes nothing. */
    '/api/workouts/delete': {
      input: object;
      output: never;
    };
    /** Deletes a received message for its receiver. */
    '/api/messages/delete/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: {
        id: string;
      };
    };
    /** Removes a workout from the log, and from what the app shows. A PUT brings it back. */
    '/api/v1/workouts/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: undefined;
    };
    /** Removes an own exercise; one that was done or planned is archived instead. */
    '/api/v1/exercises/:id': {
      input: {
        params: {
          id: number;
        };
      };
      output: undefined;
    };
    /** Removes a measurement. */
    '/api/v1/measurements/:id': {
      input: {
        params: {
          id: string;
        };
      };
      output: undefined;
    };
    /** Ends all sessions but the one that asks. */
    '/api/v1/sessions': {
      input: object;
      output: undefined;
    };
    /** Ends a session at once, on every instance, with its sockets. The id "phone" is that of the phone. */
    '/api/v1/sessions/:id': {
      input: {
        params: {
          id: 'phone' | string;
        };
      };
      output: undefined;
    };
    /** Takes an import back; what was edited since stays, unless force is true. */
    '/api/v1/imports/:id': {
      input: {
        query?: {
          force?: 'true' | 'false' | undefined;
        } | undefined;
        params: {
          id: string;
        };
      };
      output: {
        /** Workouts that were edited since: they stay. */
        kept: Array<string>;
      };
    };
  };
  PATCH: {
    /** Changes what the body names, and keeps the rest. */
    '/api/v1/me': {
      input: {
        body: {
          name?: string | undefined;
          /** What weights are shown in; stored ones keep theirs. */
          unit?: 'kg' | 'lb' | undefined;
          weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday' | undefined;
          timeZone?: string | undefined;
          reminders?: {
            isEnabled?: boolean | undefined;
            minutesBefore?: number | undefined;
          } | undefined;
        };
      };
      output: {
        version: number;
        username: string;
        email: string | null;
        name: string | null;
        unit: string;
        weekStart: string;
        timeZone: string;
        reminders: {
          isEnabled: boolean;
          minutesBefore: number;
        };
      };
    };
    /** Decides what becomes of exercises, units, columns and workouts that are in the log already. */
    '/api/v1/imports/:id': {
      input: {
        params: {
          id: string;
        };
        body: {
          /** Name in the file: id of an exercise, `create`, `skip`, or `{ create: { muscle, measure } }`. At most 2,000 names. */
          mapping?: Record<string, unknown> | undefined;
          unit?: 'kg' | 'lb' | undefined;
          distanceUnit?: 'm' | 'km' | 'mi' | undefined;
          dateOrder?: 'dmy' | 'mdy' | undefined;
          columns?: Record<string, unknown> | undefined;
          /** What becomes of workouts that are in the log already: `skip` leaves the log as it is, `import` adds those that only look alike, `replace` takes the content of the file for those of the same file that nobody has edited. */
          duplicates?: 'skip' | 'import' | 'replace' | undefined;
        };
      };
      output: {
        id: string;
        /** `preview`, `committing`, `committed`, `failed` or `undone`. */
        state: string;
        /** Why it failed; it can be committed again or taken back. */
        failure: string | null;
        source: string;
        timeZone: string;
        unit: 'kg' | 'lb' | null;
        distanceUnit: 'm' | 'km' | 'mi' | null;
        dateOrder: 'dmy' | 'mdy' | null;
        columns: Record<string, string> | null;
        duplicates: string;
        createdAt: string;
        workouts: number;
        sets: number;
        firstDay: string | null;
        lastDay: string | null;
        skipped: {
          lines: number;
          /** At most 100. */
          first: Array<{
            line: number;
            /** What is wrong: `date`, `number`, `columns` (too few), `quote` (never closed), `no-exercise`, a field whose value a set may not have (`weight`, `unit`, `reps`, `seconds`, `distance`, `rpe`, `rest`, `superset`), `blocks` (too many); of an own export the place and the reason. */
            reason: string;
          }>;
        };
        /** Columns that nothing reads. */
        ignoredColumns: Array<string>;
        /** What only the person knows: `unit`, `unit-pounds` (kilograms that look like pounds), `unit-kilograms`, `distance-unit`, `date-order`, `decimal-comma`. */
        ambiguous: Array<string>;
        /** Workouts that the log does not have. */
        new: number;
        /** Workouts that the log has with the same content. */
        equal: number;
        /** Workouts that the log has with other content. */
        changed: number;
        /** Of those that changed, the ones that were edited here; at most 100. */
        edited: Array<string>;
        /** Equal and changed ones together. */
        probableDuplicates: number;
        exercises: Array<{
          name: string;
          sets: number;
          /** What becomes of it; null: not decided. */
          match: number | 'create' | 'skip' | null;
          candidates: Array<{
            id: number;
            name: string;
          }>;
          /** Of the exercise that `create` makes; `Other` until somebody says. */
          muscle: 'Legs' | 'Back' | 'Chest' | 'Shoulders' | 'Triceps' | 'Biceps' | 'Glutes' | 'Abs' | 'Other';
          /** Of the exercise that `create` makes. */
          measure: 'weight_reps' | 'bodyweight_reps' | 'weighted_bodyweight' | 'assisted_bodyweight' | 'duration' | 'weight_duration' | 'distance_duration' | 'weight_distance';
        }>;
        progress: {
          done: number;
          total: number;
          added: number;
        };
      };
    };
  };
}

/** What the client has to know of a route while it runs. */
export interface Traits {
  /** `token`: access token and proof. `proof`: a proof alone. `binding`: the thumbprint of the key. */
  credentials?: 'token' | 'proof' | 'binding';
  /** Honours an Idempotency-Key. */
  idempotent?: true;
  /** Takes a form instead of JSON. */
  form?: true;
  /** Answers new tokens. */
  tokens?: true;
  /** Answers bytes instead of text. */
  bytes?: true;
}

export const traits: Readonly<Record<string, Traits>> = {
  'POST /api/auth/login': { credentials: 'binding', tokens: true },
  'POST /api/auth/refresh': { credentials: 'proof', tokens: true },
  'POST /api/auth/logout': { credentials: 'token' },
  'GET /api/users/get': { credentials: 'token' },
  'PUT /api/users/update': { credentials: 'token' },
  'PUT /api/users/updateself': { credentials: 'token' },
  'PUT /api/users/pushtoken': { credentials: 'token' },
  'PUT /api/users/setprofilepic': { credentials: 'token', form: true },
  'DELETE /api/users/deleteprofilepic': { credentials: 'token' },
  'DELETE /api/users/deleteself': { credentials: 'token' },
  'DELETE /api/v1/me': { credentials: 'token' },
  'GET /api/v1/me': { credentials: 'token' },
  'PATCH /api/v1/me': { credentials: 'token' },
  'POST /api/oauth/google': { credentials: 'binding', tokens: true },
  'POST /api/oauth/apple': { credentials: 'binding', tokens: true },
  'POST /api/oauth/proceedauth': { credentials: 'token', tokens: true },
  'GET /api/workouts/getworkout': { credentials: 'token' },
  'POST /api/workouts/add': { credentials: 'token', idempotent: true },
  'POST /api/workouts/finishworkout': { credentials: 'token', idempotent: true },
  'DELETE /api/workouts/delete': { credentials: 'token' },
  'GET /api/workouts/gettracking': { credentials: 'token' },
  'GET /api/messages/getmessages': { credentials: 'token' },
  'PUT /api/messages/markasread/:id': { credentials: 'token' },
  'DELETE /api/messages/delete/:id': { credentials: 'token' },
  'GET /api/exercises/getall': { credentials: 'token' },
  'GET /api/analytics/get': { credentials: 'token' },
  'GET /api/bootstrap/get': { credentials: 'token' },
  'GET /api/aerobics/get': { credentials: 'token' },
  'POST /api/aerobics/add': { credentials: 'token', idempotent: true },
  'POST /api/ws/generateticket': { credentials: 'token' },
  'GET /api/v1/workouts': { credentials: 'token' },
  'GET /api/v1/workouts/:id': { credentials: 'token' },
  'PUT /api/v1/workouts/:id': { credentials: 'token' },
  'DELETE /api/v1/workouts/:id': { credentials: 'token' },
  'POST /api/v1/workouts/:id/duplicate': { credentials: 'token', idempotent: true },
  'GET /api/v1/exercises': { credentials: 'token' },
  'POST /api/v1/exercises': { credentials: 'token', idempotent: true },
  'PUT /api/v1/exercises/:id': { credentials: 'token' },
  'DELETE /api/v1/exercises/:id': { credentials: 'token' },
  'GET /api/v1/exercises/:id/history': { credentials: 'token' },
  'GET /api/v1/exercises/:id/last': { credentials: 'token' },
  'GET /api/v1/records': { credentials: 'token' },
  'GET /api/v1/stats/summary': { credentials: 'token' },
  'GET /api/v1/stats/calendar': { credentials: 'token' },
  'GET /api/v1/stats/muscles': { credentials: 'token' },
  'GET /api/v1/stats/volume': { credentials: 'token' },
  'GET /api/v1/measurements': { credentials: 'token' },
  'GET /api/v1/measurements/:id': { credentials: 'token' },
  'PUT /api/v1/measurements/:id': { credentials: 'token' },
  'DELETE /api/v1/measurements/:id': { credentials: 'token' },
  'GET /api/v1/plan': { credentials: 'token' },
  'PUT /api/v1/plan': { credentials: 'token' },
  'POST /api/v1/sessions': { credentials: 'proof', tokens: true },
  'GET /api/v1/sessions': { credentials: 'token' },
  'DELETE /api/v1/sessions': { credentials: 'token' },
  'POST /api/v1/sessions/refresh': { credentials: 'proof', tokens: true },
  'DELETE /api/v1/sessions/:id': { credentials: 'token' },
  'PUT /api/v1/me/password': { credentials: 'token' },
  'GET /api/v1/overview': { credentials: 'token' },
  'GET /api/v1/exports/logbook.json': { credentials: 'token' },
  'GET /api/v1/exports/hevy.csv': { credentials: 'token' },
  'GET /api/v1/exports/strong.csv': { credentials: 'token' },
  'GET /api/v1/exports/archive.zip': { credentials: 'token', bytes: true },
  'POST /api/v1/imports': { credentials: 'token', form: true },
  'GET /api/v1/imports': { credentials: 'token' },
  'GET /api/v1/imports/:id': { credentials: 'token' },
  'PATCH /api/v1/imports/:id': { credentials: 'token' },
  'DELETE /api/v1/imports/:id': { credentials: 'token' },
  'POST /api/v1/imports/:id/commit': { credentials: 'token' },
};
