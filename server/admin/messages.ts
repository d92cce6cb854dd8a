import type { FastifyReply, FastifyRequest } from 'fastify';
import { clearCookie, readSignedCookie, setSignedCookie } from '../http/cookies.ts';
import type { Message } from './page.ts';

const COOKIE = 'jotgate_message';

/** The longest text that is kept: browsers drop a cookie of over 4 KiB. In characters. */
const TEXT_LIMIT = 600;

/** Keeps a message for the page that is opened next, in the visitor's own cookie. */
export function keepMessage(reply: FastifyReply, message: Message): void {
  const text = message.text.length > TEXT_LIMIT ? `${message.text.slice(0, TEXT_LIMIT)}…` : message.text;
  const json = JSON.stringify({ ...message, text });
  setSignedCookie(reply, COOKIE, Buffer.from(json).toString('base64url'));
}

/** The message that waits to be shown. It is signed, so that nobody else puts words on these pages. */
export function takeMessage(request: FastifyRequest, reply: FastifyReply): Message | null {
  const kept = readSignedCookie(request, COOKIE);
  if (kept === undefined) return null;
  clearCookie(reply, COOKIE);
  return JSON.parse(Buffer.from(kept, 'base64url').toString()) as Message;
}
