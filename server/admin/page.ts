import type { FastifyRequest } from 'fastify';
import type { AdminSessionRow } from '../../db/tables.ts';
import type { Origin } from '../audit/record.ts';
import type { Actor } from '../users/permissions.ts';
import type { FormInput } from './form-input.ts';

/** Who looks at a page: a member of staff with a session. */
export interface Viewer extends Actor {
  session: AdminSessionRow;
}

/** What a page's function is given. */
export interface OpenCall {
  request: FastifyRequest;
  /** The parameters of the path by name. Ids are whole numbers; anything else was 404 before. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** What the form brought; empty for a GET. */
  form: FormInput;
  /** Null where nobody is logged in. */
  viewer: Viewer | null;
  /** For the history: who does this, from where. */
  origin: Origin;
  now: Date;
}

/** As `OpenCall`, on a page for those who are logged in. */
export interface PageCall extends OpenCall {
  viewer: Viewer;
}

export interface Breadcrumb {
  label: string;
  /** None for the page itself. */
  href?: string;
}

/** What is said once at the top of the next page. */
export interface Message {
  level: 'success' | 'warning' | 'error';
  /** `{}` in it stands where the link goes; without a link there is none. */
  text: string;
  link?: { text: string; href: string };
}

export interface PageView {
  /** The template below views/admin/, without its ending. */
  view: string;
  title: string;
  /** What stands after Home, the page itself last. */
  breadcrumbs: readonly Breadcrumb[];
  /** What the template shows, as `it.…`. */
  data: Readonly<Record<string, unknown>>;
  status?: number;
}

export interface Redirect {
  /** A path of this server. */
  redirect: string;
  message?: Message;
  /** The key of a session that begins, or null to end the one there is. */
  session?: string | null;
}

export interface Download {
  filename: string;
  contentType: string;
  chunks: AsyncIterable<string>;
}

export type PageResult = PageView | Redirect | Download;

type Handler<Call> = (call: Call) => PageResult | Promise<PageResult>;

/** A page that anyone may open. */
export interface OpenPage {
  path: string;
  access: 'anyone';
  get?: Handler<OpenCall>;
  post?: Handler<OpenCall>;
}

/**
 * A page for staff: for all, for superusers, or for those who have at least one of some permissions. What a page lets
 * a viewer do beyond opening it, its functions ask themselves.
 */
export interface GuardedPage {
  path: string;
  access: 'staff' | 'superuser' | readonly string[];
  get?: Handler<PageCall>;
  post?: Handler<PageCall>;
}

/** One address below /admin/, with a slash at the end as Django's. `:id` in it is a whole number. */
export type AdminPage = OpenPage | GuardedPage;
