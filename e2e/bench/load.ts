import autocannon from 'autocannon';

/** One measurement: what to send where, for how long, and what a right answer is. Travels as a message. */
export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connections: number;
  /** How long, in seconds. */
  readonly duration: number;
  readonly status: number;
  /** The source of a regular expression that the body of a right answer matches. */
  readonly shape: string;
}

export interface Measurement {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers of another status or shape, connections that broke and answers that never came. */
  readonly wrong: number;
}

async function measure(load: Load): Promise<Measurement> {
  const shape = new RegExp(load.shape);
  const times: number[] = [];
  let wrong = 0;
  const onResponse = (status: number, body: string) => {
    if (status !== load.status || !shape.test(body)) wrong += 1;
  };
  const request = { method: load.method, headers: { ...load.headers }, onResponse };
  const result = await fire(
    {
      url: load.url,
      connections: load.connections,
      duration: load.duration,
      requests: [load.body === undefined ? request : { ...request, body: load.body }],
    },
    (milliseconds) => times.push(milliseconds),
  );
  times.sort((one, other) => one - other);
  return {
    requestsPerSecond: times.length / result.duration,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    wrong: wrong + result.errors,
  };
}

/** Autocannon's own percentiles are whole milliseconds, too coarse for answers that take less. */
function fire(
  options: autocannon.Options,
  onTime: (milliseconds: number) => void,
): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    const run = autocannon(options, (error, result) => (error ? reject(error) : resolve(result)));
    run.on('response', (_client, _status, _bytes, milliseconds) => onTime(milliseconds));
  });
}

/** @param sorted ascending */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

// Started as a process of its own, so that making the load costs neither server anything.
process.on('message', (load: Load) => {
  measure(load).then(
    (measurement) => process.send?.(measurement),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
