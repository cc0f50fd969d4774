// Lint rules: strict types, and the import rules that keep the layers apart.
import { globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Files that may be as long as their tables need. */
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

/** A layer may import its own folder and the ones in `allowed`; `npm` and `node` as listed. */
const layers = [
  { files: ['src/base/**'], allowed: [], node: [], npm: [] },
  { files: ['src/carp/**'], allowed: ['base'], node: [], npm: [], except: ['src/carp/digest.ts'] },
  { files: ['src/carp/digest.ts'], allowed: ['base'], node: ['crypto'], npm: [] },
  { files: ['src/election/**'], allowed: ['base', 'carp'], node: [], npm: [] },
  { files: ['src/readiness/**'], allowed: ['base'], node: [], npm: [] },
  { files: ['src/vip/**'], allowed: ['base', 'carp'], node: [], npm: [] },
  {
    files: ['src/linux/**'],
    allowed: ['base', 'readiness'],
    node: null,
    npm: [],
    except: ['src/linux/carp-socket.ts'],
  },
  {
    files: ['src/linux/carp-socket.ts'],
    allowed: ['base', 'readiness'],
    node: null,
    npm: ['raw-socket'],
  },
  {
    files: ['src/metrics/**'],
    allowed: ['base', 'carp', 'election', 'readiness'],
    node: [],
    npm: [],
    except: ['src/metrics/registry.ts'],
  },
  {
    files: ['src/metrics/registry.ts'],
    allowed: ['base', 'carp', 'election', 'readiness'],
    node: ['timers/promises'],
    npm: ['prom-client'],
  },
  { files: ['src/config/**'], allowed: ['base', 'carp'], node: null, npm: ['convict', 'yaml'] },
  { files: ['src/daemon/**'], allowed: null, node: null, npm: [], except: ['src/daemon/log.ts'] },
  { files: ['src/daemon/log.ts'], allowed: null, node: null, npm: ['pino'] },
  { files: ['src/sniff/**'], allowed: ['base', 'carp'], node: [], npm: [] },
  {
    files: ['src/doctor/**'],
    allowed: ['base', 'carp', 'config', 'readiness', 'sniff'],
    node: [],
    npm: [],
  },
  {
    files: ['src/cli/**'],
    allowed: ['base', 'carp', 'config', 'daemon', 'doctor', 'sniff'],
    node: null,
    npm: [],
  },
];

const folders = [
  'base',
  'carp',
  'election',
  'readiness',
  'vip',
  'linux',
  'metrics',
  'config',
  'daemon',
  'sniff',
  'doctor',
  'cli',
];
const packages = ['raw-socket', 'pino', 'convict', 'yaml', 'prom-client'];

/** Folders without clocks, timers, processes and randomness. */
const pure = [
  'src/base/**',
  'src/carp/**',
  'src/election/**',
  'src/readiness/**',
  'src/doctor/**',
  'src/sniff/**',
  'src/vip/plan.ts',
  'src/config/{ucarp,ucarp-*,values,listen-address,passphrase,suggest,secret}.ts',
  'src/cli/help.ts',
  'src/config/getopt.ts',
  'src/cli/{args,commands}.ts',
];

const impureGlobals = [
  'Date',
  'performance',
  'process',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
];

function layerRule(layer) {
  const own = layer.files[0].split('/')[1];
  const patterns = [];
  if (layer.allowed !== null) {
    const banned = folders.filter((name) => name !== own && !layer.allowed.includes(name));
    patterns.push({
      group: banned.map((name) => `**/${name}/*`),
      message: `${own} may import only: ${[own, ...layer.allowed].join(', ')}`,
    });
  }
  if (layer.node !== null) {
    const allowed = layer.node.length > 0 ? `(?!(?:${layer.node.join('|')})$)` : '';
    patterns.push({ regex: `^node:${allowed}`, message: `${own} is free of Node` });
  }
  const bannedPackages = packages.filter((name) => !layer.npm.includes(name));
  patterns.push({
    regex: `^(?:${bannedPackages.join('|')})(?:/|$)`,
    message: 'this package has another importer',
  });
  return {
    files: layer.files,
    ignores: layer.except ?? [],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

export default tseslint.config(
  globalIgnores(['dist', 'out', 'coverage', 'native', 'node_modules']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // A void call as the value of an arrow or a return reads well and hides nothing.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        {
          ignoreArrowShorthand: true,
          ignoreVoidReturningFunctions: true,
          ignoreVoidOperator: true,
        },
      ],
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      'max-lines': ['error', { max: FILE_LINES_MAX }],
      'max-lines-per-function': ['error', { max: FUNCTION_LINES_MAX }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'name what you export' },
        { selector: 'ExportAllDeclaration', message: 'no barrels' },
      ],
    },
  },
  ...layers.map(layerRule),
  {
    files: pure,
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'randomness is given to the pure layers' },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // node:test's own describe and test return promises that nobody need wait for.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['describe', 'test', 'it', 'suite'] },
          ],
        },
      ],
    },
  },
);
