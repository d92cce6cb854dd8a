import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import staticFiles from '@fastify/static';
import view from '@fastify/view';
import { Eta } from 'eta';
import type { FastifyInstance } from 'fastify';
import { PACKAGE_ROOT } from '../root.ts';

/** Makes `reply.view()` render the templates of views/, and serves public/ under /static/. */
export async function registerViews(app: FastifyInstance): Promise<void> {
  const templates = join(PACKAGE_ROOT, 'views');
  const eta = new Eta({ views: templates, cache: true, autoTrim: false });
  loadByName(eta, templates);
  await app.register(view, { engine: { eta }, root: templates, viewExt: 'eta', production: true });
  await app.register(staticFiles, {
    root: join(PACKAGE_ROOT, 'public'),
    prefix: '/static/',
    index: false,
    redirect: false,
    setHeaders: (response) => response.setHeader('x-content-type-options', 'nosniff'),
    // Short, and revalidated after: a new version of the program is not seen with the style of the old.
    maxAge: '5m',
  });
  // Where an answer is no page, such as JSON, browsers ask for the icon under the name it had in 1999.
  app.get('/favicon.ico', (_request, reply) => reply.redirect('/static/icons/jotgate.svg', 301));
}

/**
 * Loads the layout and every partial under its name: `@layout`, `@partials/forms`. Eta looks the path of a template
 * up each time it is included, and a page includes a dozen.
 */
function loadByName(eta: Eta, folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.eta')) continue;
    const name = `@${path.slice(0, -'.eta'.length).replaceAll(sep, '/')}`;
    // Indentation is for whoever reads the template, and so is the end of its last line: a partial can stand within a
    // sentence. Nothing in one depends on it, also no `pre`.
    eta.loadTemplate(name, readFileSync(join(folder, path), 'utf8').trimEnd().replace(/\n +/g, '\n'));
  }
}
