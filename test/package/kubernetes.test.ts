// The example for Kubernetes: YAML that hangs together, asks for no more rights than it needs, and
// holds a configuration that carpd takes.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { run } from '../../lab/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MANIFEST = join(ROOT, 'packaging/kubernetes/carpd.yaml');

describe('the manifest for Kubernetes', () => {
  const documents = parseAllDocuments(readFileSync(MANIFEST, 'utf8'), { version: '1.1' });

  /** The value at a path in the document of this kind. */
  function at(kind: string, ...path: readonly (string | number)[]): unknown {
    const document = documents.find((candidate) => candidate.get('kind') === kind);
    ok(document !== undefined, `no ${kind}`);
    const value: unknown = document.toJS();
    return path.reduce<unknown>((node, key) => {
      ok(typeof node === 'object' && node !== null, `${kind}: nothing at ${path.join('.')}`);
      return new Map<string, unknown>(Object.entries(node)).get(String(key));
    }, value);
  }
  const container = ['spec', 'template', 'spec', 'containers', 0] as const;

  test('is YAML without a fault', () => {
    deepEqual(
      documents.flatMap((document) => [...document.errors, ...document.warnings]),
      [],
    );
    const kinds = documents.map((document) => document.get('kind'));
    deepEqual(kinds, ['Namespace', 'Secret', 'ConfigMap', 'DaemonSet']);
  });

  test('runs on the network of the host, with two capabilities and a closed file system', () => {
    equal(at('DaemonSet', 'spec', 'template', 'spec', 'hostNetwork'), true);
    deepEqual(at('DaemonSet', ...container, 'securityContext', 'capabilities'), {
      drop: ['ALL'],
      add: ['NET_RAW', 'NET_ADMIN'],
    });
    equal(at('DaemonSet', ...container, 'securityContext', 'readOnlyRootFilesystem'), true);
    equal(at('DaemonSet', ...container, 'securityContext', 'allowPrivilegeEscalation'), false);
  });

  test('mounts what it names, the secret for its reader alone', () => {
    const named = (list: unknown): readonly unknown[] => {
      ok(Array.isArray(list), 'no list');
      return list.map((entry: { readonly name: unknown }) => entry.name);
    };
    const mounts = named(at('DaemonSet', ...container, 'volumeMounts'));
    const volumes = ['spec', 'template', 'spec', 'volumes'] as const;
    deepEqual(mounts, named(at('DaemonSet', ...volumes)));
    equal(at('DaemonSet', ...volumes, 1, 'secret', 'defaultMode'), 0o400);
    equal(at('DaemonSet', ...volumes, 1, 'secret', 'secretName'), at('Secret', 'metadata', 'name'));
  });

  test('holds a configuration that carpd takes', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'carpd-kubernetes-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const config = String(at('ConfigMap', 'data', 'carpd.yaml'));
    const passphrase = String(at('Secret', 'stringData', 'db.pass'));
    writeFileSync(join(folder, 'db.pass'), passphrase, { mode: 0o600 });
    ok(config.includes('/etc/carpd-secret/db.pass'), 'the secret is not used');
    const path = join(folder, 'carpd.yaml');
    writeFileSync(path, config.replace('/etc/carpd-secret', folder), { mode: 0o600 });
    const main = join(ROOT, 'dist/main.js');
    await run([process.execPath, main, 'check', '--config', path]);
  });
});
