/** Moving listening sockets and live connections from one process to the next. */
export { type HandleChannel, processChannel } from './channel.ts';
export { HandOverReceiver } from './receiver.ts';
export { type HandOverResult, HandOverSender } from './sender.ts';
