/** One port with a prefix for each thing that the app serves over HTTP. */
export { readBody } from './body.ts';
export {
  jsonAnswer,
  messageAnswer,
  refuseSocket,
  sendAnswer,
  startMountServer,
  type HttpAnswer,
  type MountHandler,
  type MountServer,
  type UpgradeHandler,
} from './server.ts';
