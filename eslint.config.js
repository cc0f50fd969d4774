// Lint rules: strict types, and the import rules that keep the layers apart.
import { globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { floorsRule } from './scripts/floors.mjs';

/** Files that may be as long as their tables need. */
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

/** The process of the daemon: its signals, its debugger, and the real ports that it gives out. */
const processFiles = ['src/process/{debugger,early-signals,preflight,process,real-ports}.ts'];

/** What has the outside from `Ports`. */
const ported = [
  'src/{addressing,daemon,ports,process,traffic}/**',
  'src/events/publish/**',
  'src/control/{handover,orders}.ts',
  'src/metrics/service.ts',
  'src/release/leftovers.ts',
];

/**
 * Which of Node's modules the files may import (null: all), and which packages. A file has the last
 * entry that matches it; what it may import of src/ is in scripts/floors.mjs.
 */
const outside = [
  { files: ['src/**'], node: null, npm: [] },
  { files: ['src/{base,carp,election,events,readiness,report,segment,vip}/**'], node: [], npm: [] },
  { files: ['src/doctor/{checks,firewall}/**', 'src/sniff/**'], node: [], npm: [] },
  { files: ['src/carp/digest.ts'], node: ['crypto'], npm: [] },
  { files: ['src/metrics/**'], node: [], npm: [] },
  { files: ['src/metrics/server.ts'], node: null, npm: [] },
  { files: ported, node: ['util'], npm: [], hasPorts: true },
  { files: processFiles, node: null, npm: [] },
  { files: ['src/config/**'], node: null, npm: ['convict', 'yaml'] },
  { files: ['src/linux/sockets/carp-socket.ts'], node: null, npm: ['raw-socket'] },
  { files: ['src/log/log.ts'], node: null, npm: ['pino'] },
  { files: ['src/metrics/registry.ts'], node: ['timers/promises'], npm: ['prom-client'] },
];
const packages = ['raw-socket', 'pino', 'convict', 'yaml', 'prom-client'];

/** What reaches outside, of which a file with ports imports the types alone; but for what is pure. */
const outsideFolders = '/(?:linux/\\w+|doctor/facts|control|serving|state)/|/server[.]ts$';
const pureNames = ['describeHeld', 'describeHolder', 'resolveStack'];

/** Files without clocks, timers, processes and randomness. */
const pure = [
  'src/{base,carp,election,events,readiness,report,segment}/**',
  'src/doctor/{checks,firewall}/**',
  'src/metrics/catalogue/**',
  'src/sniff/!(live-capture).ts',
  'src/vip/plan.ts',
  'src/config/ucarp/**',
  'src/config/{values,listen-address,passphrase,suggest,secret}.ts',
  'src/cli/{args,commands,help}.ts',
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

function outsideRule({ files, node, npm, hasPorts = false }) {
  const bannedPackages = packages.filter((name) => !npm.includes(name));
  const patterns = [
    {
      regex: `^(?:${bannedPackages.join('|')})(?:/|$)`,
      message: 'this package has another importer',
    },
  ];
  if (node !== null) {
    const allowed = node.length > 0 ? `(?!(?:${node.join('|')})$)` : '';
    patterns.push({ regex: `^node:${allowed}`, message: 'these files are free of Node' });
  }
  if (hasPorts) {
    patterns.push({
      regex: outsideFolders,
      importNamePattern: `^(?!(?:${pureNames.join('|')})$)[a-z]`,
      message: 'what is outside comes in by Ports (src/ports)',
    });
  }
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
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
  ...outside.map(outsideRule),
  {
    files: ['src/**'],
    plugins: { carpd: { rules: { floors: floorsRule } } },
    rules: { 'carpd/floors': 'error' },
  },
  {
    files: ported,
    ignores: processFiles,
    rules: { 'no-restricted-globals': ['error', ...impureGlobals] },
  },
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
    files: ['lab/**', 'test/**', 'bench/**'],
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
