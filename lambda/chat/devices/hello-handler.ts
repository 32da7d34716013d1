import { deviceHandler } from './device.ts';
import { hello, type HelloServices } from './hello.ts';
import { buildHelloServices } from './services.ts';

let services: HelloServices | undefined;

export const handler = deviceHandler((request) => hello(request, (services ??= buildHelloServices())));
