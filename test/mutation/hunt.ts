// Plays worlds of the swarm until one breaks a rule, and says which: "seed 7: ...". Ends with 1
// then, and with 0 where none does.
//
//   node --import tsx test/mutation/hunt.ts SEED...
import { Swarm } from '../sim/swarm/swarm.ts';

for (const seed of process.argv.slice(2).map(Number)) {
  const swarm = new Swarm(seed);
  const failed = await swarm.play().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const [first] = [...swarm.violations, ...(failed === undefined ? [] : [failed])];
  if (first === undefined) continue;
  console.log(`seed ${seed}: ${first}`);
  process.exit(1);
}
