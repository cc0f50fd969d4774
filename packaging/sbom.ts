// The software bill of materials, in CycloneDX 1.5: what a package contains, with its checksums.
import { createHash } from 'node:crypto';
import type { Dependency } from './dependencies.ts';
import { nodePackage, nodeVersion, type Arch, type NodeMajor } from './node-releases.ts';

export interface SbomOptions {
  readonly version: string;
  readonly dependencies: readonly Dependency[];
  /** The Node that lies in the package, where one does. */
  readonly node?: { readonly major: NodeMajor; readonly arch: Arch };
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** The document as text; the same for the same options, down to its serial number. */
export function sbom(options: SbomOptions): string {
  const { version, epoch, dependencies } = options;
  const components = dependencies.map((dependency) => component(dependency));
  if (options.node !== undefined) components.push(nodeComponent(options.node));
  const content = {
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': `carpd@${version}`,
        name: 'carpd',
        version,
        licenses: [{ license: { id: 'MIT' } }],
      },
    },
    components,
  };
  const head = { bomFormat: 'CycloneDX', specVersion: '1.5' };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(content))}`;
  return `${JSON.stringify({ ...head, serialNumber, version: 1, ...content }, null, 2)}\n`;
}

function component({ name, version, license, integrity }: Omit<Dependency, 'folder'>): object {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    hashes: [{ alg: 'SHA-512', content: hexOf(integrity) }],
    licenses: [{ license: { id: license } }],
    purl,
  };
}

function nodeComponent({ major, arch }: { major: NodeMajor; arch: Arch }): object {
  const version = nodeVersion(major);
  return component({ ...nodePackage(major, arch), version, license: 'MIT' });
}

/** The registry's "sha512-" and base64 as hexadecimal digits. */
function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
}

/** A UUID of version 5's form, from the content alone. */
function uuidOf(content: string): string {
  const hash = createHash('sha256').update(content).digest('hex');
  const variant = ((parseInt(hash.slice(16, 17), 16) & 3) | 8).toString(16);
  const third = `5${hash.slice(13, 16)}`;
  const fourth = `${variant}${hash.slice(17, 20)}`;
  return [hash.slice(0, 8), hash.slice(8, 12), third, fourth, hash.slice(20, 32)].join('-');
}
