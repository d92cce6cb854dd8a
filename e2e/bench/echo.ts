import Fastify from 'fastify';

/** The yardstick: the least that a JSON endpoint of Fastify does. Ends with the process that started it. */
const app = Fastify();
app.post('/', (request) => request.body);
process.on('disconnect', () => process.exit(0));
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }));
