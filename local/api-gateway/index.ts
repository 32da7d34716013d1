/** API Gateway: HTTP and WebSocket APIs, and the management of connections. */
export { API_GATEWAY_TYPES } from './resources.ts';
export { createApiGateway, type ApiGateway } from './api-gateway.ts';
export type { HttpApiEvent } from './http-api.ts';
export type { WebSocketEvent } from './web-socket-api.ts';
export type { WebSocketLimits } from './web-socket-connection.ts';
