// The small programs that start carpd: shell scripts, and the choice of raw-socket's addon.
import type { NodeMajor } from './node-releases.ts';

/** A script that runs dist/FILE with the Node of its own folder, wherever that lies. */
export function ownLauncher(command: string, file: string): string {
  return `#!/bin/sh
# Runs ${command} with the Node that lies in the same folder, wherever that is and by any symlink.
self=$(readlink -f -- "$0") || exit 2
home=\${self%/bin/*}
exec "$home/libexec/node" "$home/dist/${file}" "$@"
`;
}

/** The same with the Node of the distribution. The PATH of whoever calls has no say in it. */
export function hostLauncher(command: string, file: string): string {
  return `#!/bin/sh
# Runs ${command} with the Node of the host.
self=$(readlink -f -- "$0") || exit 2
home=\${self%/bin/*}
if ! [ -x /usr/bin/node ]; then
  echo "${command}: /usr/bin/node is missing: install Node.js 20.20 or newer (package nodejs)," \\
    "or the package carpd, which brings its own" >&2
  exit 2
fi
exec /usr/bin/node "$home/dist/${file}" "$@"
`;
}

/** CommonJS in the place of raw-socket's addon, of which each major Node has one of its own. */
export function rawSocketChoice(majors: readonly NodeMajor[]): string {
  return `// Loads the build of raw-socket for the Node that runs.
'use strict';
const majors = [${majors.join(', ')}];
const major = Number(process.versions.node.split('.')[0]);
if (!majors.includes(major)) {
  throw new Error(
    \`this package has no addon for Node \${major}, only for Node \${majors.join(', ')}; \` +
      'install one of these, or the package carpd, which brings its own Node',
  );
}
module.exports = require(\`./node-\${major}.node\`);
`;
}
