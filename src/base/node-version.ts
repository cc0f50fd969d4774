// Whether the Node that runs is new enough. This file and those that import it before they ask have
// to be understood by Node 12: no optional chaining, no `??`, no top-level await.

/** The oldest Node that carpd runs on, as package.json has it. */
const NODE_MIN = { major: 20, minor: 20 };

/** What is wrong with Node `version` ("18.20.4"), and what helps; undefined if nothing is. */
export function nodeComplaint(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NODE_MIN.major) return undefined;
  if (major === NODE_MIN.major && minor >= NODE_MIN.minor) return undefined;
  return (
    `Node.js ${version} is too old, ${NODE_MIN.major}.${NODE_MIN.minor} or newer is needed: ` +
    'install it from https://nodejs.org, or the package of carpd that brings its own'
  );
}
