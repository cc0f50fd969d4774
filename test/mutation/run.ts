// Puts one deliberate fault after the other into a copy of src, and plays the world and the tests
// that are said to find it. Prints who found it and with which words; ends with 1 where nobody did.
//
//   npm run test:mutation [-- NAME...]         all faults, or these
//   SEARCH=40 npm run test:mutation            looks anew in worlds 1 to 40 for one that finds it
//   WORKERS=1                                  so many at once; as many as there are cores
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { applyEdit, type Fault } from './fault.ts';
import { FAULTS } from './faults.ts';

const COPIED = ['src', 'test', 'docs', 'scripts', 'package.json', 'tsconfig.json'];
const LINKED = ['node_modules', 'native', 'man', 'systemd', 'README.md', 'CHANGELOG.md'];
const RUN_MS_MAX = 300_000;

/** Who found a fault, and what it said. */
interface Finding {
  readonly by: string;
  readonly said: string;
}

interface Ended {
  readonly code: number | undefined;
  readonly output: string;
}

const searched = Number(process.env['SEARCH'] ?? 0);
const workers = Number(process.env['WORKERS'] ?? availableParallelism());
const wanted = process.argv.slice(2);
const chosen = FAULTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) throw new Error(`no such fault: ${wanted.join(', ')}`);

/** Whether a finder finds nothing where there is no fault; each is asked once. */
const pristine = new Map<string, Promise<boolean>>();
const root = mkdtempSync(join(tmpdir(), 'carpd-mutation-'));
try {
  process.exitCode = (await judgeAll()) ? 0 : 1;
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function judgeAll(): Promise<boolean> {
  const clean = copyTree('clean');
  const queue = [...chosen];
  let missed = 0;
  const work = async (_: unknown, index: number): Promise<void> => {
    const tree = copyTree(`worker${index}`);
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const finding = await judge(fault, tree, clean);
      if (finding === undefined) missed += 1;
      const { by, said } = finding ?? { by: 'NOBODY', said: fault.what };
      console.log(`${fault.name.padEnd(34)} ${by.padEnd(46)} ${said}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  console.log(`${chosen.length - missed} faults found, ${missed} missed`);
  return missed === 0;
}

/** Puts the fault into this tree, asks all who might find it, and takes it out again. */
async function judge(fault: Fault, tree: string, clean: string): Promise<Finding | undefined> {
  const files = new Set(fault.edits.map(({ file }) => file));
  for (const edit of fault.edits) {
    const path = join(tree, edit.file);
    writeFileSync(path, applyEdit(readFileSync(path, 'utf8'), edit));
  }
  try {
    for (const argv of findersOf(fault)) {
      const found = await ask(argv, tree);
      if (found !== undefined && (await isQuiet(argv, clean))) return found;
    }
    return undefined;
  } finally {
    for (const file of files) cpSync(file, join(tree, file));
  }
}

/** Arguments of node for each who might find it, the most telling first. */
function findersOf({ seed, tests = [] }: Fault): readonly (readonly string[])[] {
  const seeds = searched > 0 ? Array.from({ length: searched }, (_, at) => at + 1) : [seed ?? 0];
  const hunt = ['test/mutation/hunt.ts', ...seeds.map(String)];
  const files = tests.map((file) => ['--test', '--test-reporter=tap', file]);
  return seed === undefined && searched === 0 ? files : [hunt, ...files];
}

async function ask(argv: readonly string[], tree: string): Promise<Finding | undefined> {
  const { code, output } = await run(argv, tree);
  if (code === 0) return undefined;
  const isHunt = argv[0] !== '--test';
  const said = (isHunt ? /^seed .*$/m : /^ *not ok \d+ - (.*)$/m).exec(output);
  // A tree that can't even be loaded is no finding.
  if (said === null || said[1]?.endsWith('.test.ts') === true) {
    throw new Error(`${argv.join(' ')} failed without a word:\n${output.slice(-2_000)}`);
  }
  return { by: isHunt ? 'swarm' : (argv.at(-1) ?? ''), said: said[1] ?? said[0] };
}

function isQuiet(argv: readonly string[], clean: string): Promise<boolean> {
  const key = argv.join(' ');
  const known = pristine.get(key) ?? run(argv, clean).then(({ code }) => code === 0);
  pristine.set(key, known);
  return known;
}

function copyTree(name: string): string {
  const tree = join(root, name);
  for (const path of COPIED) cpSync(path, join(tree, path), { recursive: true });
  for (const path of LINKED) symlinkSync(resolve(path), join(tree, path));
  return tree;
}

function run(argv: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--import=tsx', ...argv], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: RUN_MS_MAX,
    });
    let output = '';
    const take = (text: string): void => void (output += text);
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('close', (code) => done({ code: code ?? undefined, output }));
  });
}
