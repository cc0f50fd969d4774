// Capabilities as /proc/PID/status tells of them.
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { judgePrivileges } from '../../../../src/linux/system/privileges.ts';

const ALL = '000001ffffffffff';
const NONE = '0000000000000000';
const NET = '0000000000003000';
const RAW_ONLY = '0000000000002000';

function status(uid: number, effective: string, bounding: string, ambient: string): string {
  const ids = `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`;
  return `Name:\tnode\n${ids}\nCapEff:\t${effective}\nCapBnd:\t${bounding}\nCapAmb:\t${ambient}\n`;
}

test('what is missing here and in children', () => {
  const both = ['CAP_NET_ADMIN', 'CAP_NET_RAW'];
  const cases: [string, string, string[], string[]][] = [
    ['root', status(0, ALL, ALL, NONE), [], []],
    [
      'root in a container',
      status(0, RAW_ONLY, RAW_ONLY, NONE),
      ['CAP_NET_ADMIN'],
      ['CAP_NET_ADMIN'],
    ],
    ['root that gave up what its children get', status(0, NONE, ALL, NONE), both, []],
    ['file capabilities', status(1000, NET, ALL, NONE), [], both],
    ['ambient capabilities', status(1000, NET, ALL, NET), [], []],
    ['nobody', status(65534, NONE, ALL, NONE), both, both],
    ['no such fields', '', both, both],
  ];
  for (const [what, text, missing, missingInChildren] of cases) {
    deepEqual(judgePrivileges(text), { missing, missingInChildren }, what);
  }
});
