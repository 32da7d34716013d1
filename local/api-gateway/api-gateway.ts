import { messageAnswer, sendAnswer, type MountServer } from '../http/index.ts';
import { finishHttpApi, finishWebSocketApi, type ApiDrafts } from './api-drafts.ts';
import { serveConnections } from './connections-service.ts';
import { createHttpApis, type HttpApisOptions } from './http-api.ts';
import { invokerOf, type InvokerOptions } from './integration.ts';
import { WebSocketApis, type WebSocketApisOptions } from './web-socket-api.ts';

interface ApiGatewayOptions extends InvokerOptions, Omit<WebSocketApisOptions, 'invoke' | 'onEvent'> {
  readonly keysOf: HttpApisOptions['keysOf'];
  readonly onEvent: HttpApisOptions['onEvent'] & WebSocketApisOptions['onEvent'];
}

export interface ApiGateway {
  readonly drafts: ApiDrafts;
  readonly nameOf: (apiId: string) => string | undefined;
  readonly webSockets: WebSocketApis;
  readonly connectionsService: ReturnType<typeof serveConnections>;
  /** Serves the APIs under their prefixes. Call it when all their parts exist. */
  readonly publish: (server: MountServer) => void;
}

export function createApiGateway(options: ApiGatewayOptions): ApiGateway {
  const drafts: ApiDrafts = { account: {}, httpApis: new Map(), webSocketApis: new Map() };
  const invoke = invokerOf(options);
  const serveHttpApi = createHttpApis({ ...options, invoke });
  const webSockets = new WebSocketApis({ ...options, invoke });
  return {
    drafts,
    nameOf: (apiId) => (drafts.httpApis.get(apiId) ?? drafts.webSocketApis.get(apiId))?.name,
    webSockets,
    connectionsService: serveConnections(webSockets, options),
    publish: (server) => {
      for (const draft of drafts.httpApis.values()) {
        server.addMount(draft.prefix, serveHttpApi(finishHttpApi(draft)));
      }
      for (const draft of drafts.webSocketApis.values()) {
        server.addMount(
          draft.prefix,
          (_, response) => sendAnswer(response, messageAnswer(426)),
          webSockets.serve(finishWebSocketApi(draft)),
        );
      }
    },
  };
}
