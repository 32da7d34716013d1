/** The app's queue workers, as users see them: the ids of the `QueueWorker` constructs. */
export const workers = ['Settlement', 'Reconcile', 'Notification', 'Drain'] as const;
export type WorkerName = (typeof workers)[number];
