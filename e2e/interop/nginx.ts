import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_FOLDER } from '../server-process.ts';
import { selfSignedCertificate } from './certificate.ts';

/** How long a package manager may take, in milliseconds. */
const INSTALL_LIMIT = 300_000;

/** How long nginx may take to listen, in milliseconds. */
const PATIENCE = 10_000;

export interface Nginx {
  port: number;
  /** The certificate, as whoever trusts it needs it. */
  certificate: string;
  /** What it complained of. */
  errors(): string;
  stop(): Promise<void>;
}

/** The nginx of this machine; installs Debian's where there is none. @throws Error that says what to install */
export function findNginx(): string {
  const found = installedNginx();
  if (found !== undefined) return found;
  try {
    const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    run('env', [...prefix, 'apt-get', 'update']);
    run('env', [...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', 'nginx']);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Error(
      `The test of the README's nginx block needs nginx, and it could not be installed: ${reason}\n` +
        'Install it (Debian: apt-get install nginx), or name one in NGINX_PATH.',
    );
  }
  const installed = installedNginx();
  if (installed === undefined) throw new Error('nginx was installed, and is in no folder of the PATH');
  return installed;
}

function installedNginx(): string | undefined {
  // Debian's is where only root's PATH leads.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const paths = [process.env.NGINX_PATH, ...folders.map((folder) => join(folder, 'nginx'))];
  return paths.find((path) => path !== undefined && existsSync(path));
}

function run(command: string, parameters: readonly string[]): void {
  console.log(`Installing nginx: ${command} ${parameters.join(' ')}`);
  execFileSync(command, parameters, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INSTALL_LIMIT,
  });
}

/** The one block of the README that is marked as nginx's. */
export function readmeBlock(): string {
  const readme = readFileSync(join(PROJECT_FOLDER, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```nginx\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  if (blocks.length !== 1) throw new Error(`The README has ${blocks.length} blocks for nginx`);
  return blocks[0] as string;
}

/**
 * Runs nginx with the README's block, of which only addresses, ports and paths are changed.
 *
 * @param jotgate where Jotgate listens, `127.0.0.1:8000`; `app` is what is behind `auth_request`
 */
export async function startNginx(
  program: string,
  { jotgate, app }: { jotgate: string; app: string },
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-nginx-'));
  const port = await freePort();
  const { certificate, key } = selfSignedCertificate(['auth.example.com', 'app.example.com']);
  writeFileSync(join(folder, 'cert.pem'), certificate);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  const block = replaceAll(readmeBlock(), {
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    'server 127.0.0.1:8000;': `server ${jotgate};`,
    'proxy_pass http://127.0.0.1:3000;': `proxy_pass http://${app};`,
    '/etc/ssl/example.com/fullchain.pem': join(folder, 'cert.pem'),
    '/etc/ssl/example.com/privkey.pem': join(folder, 'key.pem'),
  });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, block));
  const parameters = ['-p', folder, '-c', file, '-e', join(folder, 'error.log')];
  const checked = spawnSync(program, [...parameters, '-t'], { encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(`nginx refuses the README's block:\n${checked.stderr}`);
  const child = spawn(program, parameters, { stdio: 'ignore' });
  const exited = once(child, 'close');
  const errors = () => readFileSync(join(folder, 'error.log'), 'utf8');
  await listening(port, () => child.exitCode !== null);
  return {
    port,
    certificate,
    errors,
    async stop() {
      child.kill('SIGQUIT');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each must be there: else the README has changed and not the test. */
function replaceAll(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`The README's nginx block has no "${from}"`);
    return result.replaceAll(from, to);
  }, text);
}

/** As much as nginx needs besides, for whoever runs it, and all of it in one folder. */
function configuration(folder: string, block: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(folder, name)};`,
  );
  return [
    `${user}\ndaemon off;\nworker_processes 1;\npid ${join(folder, 'nginx.pid')};`,
    'events { worker_connections 256; }',
    `http {\n  access_log off;\n${temporary.join('\n')}\n${block}\n}\n`,
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (performance.now() < deadline && !hasEnded()) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
  throw new Error('nginx did not come to listen');
}
