#!/usr/bin/env node
import { runCommandLine } from './commands/command-line.ts';

const { argv, env, stdin, stdout, stderr } = process;

// Whoever reads the output may stop early, as `head` does.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine({ stdin, stdout, stderr, env, cwd: process.cwd() }, argv.slice(2));
