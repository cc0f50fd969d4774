// What the Debian packages are: their trees, their relations to each other, their scripts.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Deb, DebArch } from './deb.ts';
import { productionDependencies } from './dependencies.ts';
import { libraryDepends } from './elf.ts';
import { copyrightFile, debianChangelog, packed } from './legal.ts';
import { BUNDLED_MAJOR, type Arch } from './node-releases.ts';
import { makeRuntimeTree, type NodeOrigin } from './runtime-tree.ts';
import { sbom } from './sbom.ts';

/** What every package of one build shares. */
export interface Build {
  /** The checkout. */
  readonly root: string;
  readonly version: string;
  /** Seconds since 1970, the time of every file. */
  readonly epoch: number;
}

const DEB_ARCH: Readonly<Record<Arch, DebArch>> = { x64: 'amd64', arm64: 'arm64' };
const LIB = 'usr/lib/carpd';
const UNITS = 'usr/lib/systemd/system';

const WHAT_IT_DOES = [
  'carpd speaks the protocol of UCARP and elects one of several hosts to hold',
  'a virtual IPv4 address. A host takes it only over a link that has proved',
  'that it passes frames: not at boot, not after a flap, not after a freeze.',
];

/** Fills `tree` with carpd, and yields the package that it makes. */
export function carpdDeb(build: Build, arch: Arch, node: NodeOrigin, tree: string): Deb {
  const { root, version } = build;
  const name = node === 'bundled' ? 'carpd' : 'carpd-host-node';
  const other = node === 'bundled' ? 'carpd-host-node' : 'carpd';
  const lib = join(tree, LIB);
  mkdirSync(lib, { recursive: true });
  makeRuntimeTree({ root, arch, node, version, target: lib });
  addLink(tree, 'usr/sbin/carpd', '../lib/carpd/bin/carpd');
  addFile(tree, join(root, 'packaging/debian/carpd.sysusers'), 'usr/lib/sysusers.d/carpd.conf');
  addFile(tree, join(root, 'packaging/carpd.example.yaml'), 'etc/carpd/carpd.example.yaml');
  const completion = 'usr/share/bash-completion/completions/carpd';
  addFile(tree, join(root, 'packaging/completion/carpd.bash'), completion);
  addUnits(root, tree);
  addManuals(root, tree, (page) => !page.startsWith('ucarp.'));
  addDocumentation(build, arch, node, tree, name);
  const nodeDepends = node === 'bundled' ? [] : ['nodejs (>= 20.20)'];
  const depends = [...libraryDepends(lib), 'iproute2', 'passwd'];
  const flavour =
    node === 'bundled'
      ? ['This package brings its own Node.js and asks the host for none.']
      : ['This package runs on the Node.js of the host: 20, 22, 24 or 26.'];
  return {
    name,
    arch: DEB_ARCH[arch],
    version,
    fields: [
      ['Depends', [...depends, ...nodeDepends].join(', ')],
      ['Suggests', 'carpd-ucarp'],
      ['Conflicts', other],
      ['Replaces', other],
    ],
    synopsis: 'keep a virtual IP address on exactly one of several hosts (CARP)',
    description: [WHAT_IT_DOES, flavour],
    scripts: Object.fromEntries(
      ['postinst', 'prerm', 'postrm'].map((script) => [
        script,
        readFileSync(join(root, 'packaging/debian', script), 'utf8'),
      ]),
    ),
  };
}

/** Fills `tree` with the drop-in for Debian's ucarp, and yields the package that it makes. */
export function ucarpDeb(build: Build, tree: string): Deb {
  const { root, version } = build;
  const name = 'carpd-ucarp';
  addLink(tree, 'usr/sbin/ucarp', '../lib/carpd/bin/ucarp');
  for (const [from, to] of [
    ['if-up', 'etc/network/if-up.d/carpd-ucarp'],
    ['vip-up', 'usr/share/ucarp/vip-up'],
    ['vip-down', 'usr/share/ucarp/vip-down'],
  ] as const) {
    addFile(tree, join(root, 'packaging/ucarp', from), to);
  }
  addManuals(root, tree, (page) => page.startsWith('ucarp.'));
  const doc = `usr/share/doc/${name}`;
  addText(tree, `${doc}/copyright`, copyrightFile(root, [], undefined));
  addText(tree, `${doc}/changelog.gz`, debianChangelog(root, name, version, build.epoch));
  return {
    name,
    arch: 'all',
    version,
    fields: [
      ['Depends', `carpd (= ${version}) | carpd-host-node (= ${version})`],
      ['Recommends', 'ifupdown'],
      ['Conflicts', 'ucarp'],
      ['Replaces', 'ucarp'],
      ['Provides', 'ucarp'],
    ],
    synopsis: 'drop-in for ucarp that is run by carpd',
    description: [
      [
        'The command ucarp with the options, scripts, signals and exit codes of UCARP',
        '1.5.2, and with the link-readiness gate of carpd.',
      ],
      [
        'Interfaces of /etc/network/interfaces with the options ucarp-vid, ucarp-vip',
        "and ucarp-password get a ucarp when they come up, as with Debian's package.",
      ],
    ],
    scripts: {},
  };
}

/** The units, and beside carpd itself the drop-in that is copied to where it is wanted. */
function addUnits(root: string, tree: string): void {
  const folder = join(root, 'systemd');
  for (const file of readdirSync(folder)) {
    const isUnit = file.endsWith('.service');
    addFile(tree, join(folder, file), join(isUnit ? UNITS : `${LIB}/systemd`, file));
  }
}

/** The manual pages that there are: man/NAME.SECTION. */
function addManuals(root: string, tree: string, wanted: (page: string) => boolean): void {
  const folder = join(root, 'man');
  if (!existsSync(folder)) return;
  for (const page of readdirSync(folder).filter((name) => /\.[578]$/.test(name) && wanted(name))) {
    const manual = packed(readFileSync(join(folder, page)));
    addText(tree, `usr/share/man/man${page.slice(-1)}/${page}.gz`, manual);
  }
}

function addDocumentation(
  { root, version, epoch }: Build,
  arch: Arch,
  node: NodeOrigin,
  tree: string,
  name: string,
): void {
  const doc = `usr/share/doc/${name}`;
  const bundled = node === 'bundled';
  const dependencies = productionDependencies(root);
  const nodeLicense = bundled ? join(tree, LIB, 'libexec/LICENSE.node') : undefined;
  addText(tree, `${doc}/copyright`, copyrightFile(root, dependencies, nodeLicense));
  // It is in the copyright file now, where Debian wants all of them.
  if (nodeLicense !== undefined) rmSync(nodeLicense);
  addText(tree, `${doc}/changelog.gz`, debianChangelog(root, name, version, epoch));
  const brought = bundled ? { node: { major: BUNDLED_MAJOR, arch } } : {};
  addText(tree, `${doc}/sbom.cdx.json`, sbom({ version, dependencies, epoch, ...brought }));
  for (const page of readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')))
    addFile(tree, join(root, 'docs', page), `${doc}/${page}`);
  const overrides = join(root, 'packaging/debian', `${name}.lintian-overrides`);
  if (existsSync(overrides)) addFile(tree, overrides, `usr/share/lintian/overrides/${name}`);
}

function addFile(tree: string, from: string, to: string): void {
  makeFolder(tree, to);
  copyFileSync(from, join(tree, to));
}

function addText(tree: string, to: string, content: string | Buffer): void {
  makeFolder(tree, to);
  writeFileSync(join(tree, to), content);
}

function addLink(tree: string, path: string, target: string): void {
  makeFolder(tree, path);
  symlinkSync(target, join(tree, path));
}

function makeFolder(tree: string, path: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
}
