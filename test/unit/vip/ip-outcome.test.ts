// What the ends of `ip addr` commands mean; the messages are those of real kernels.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeIp, type VipFaultReason } from '../../../src/vip/ip-outcome.ts';
import type { CommandResult } from '../../../src/base/command.ts';
import { EXITED_OK, refused } from './fakes.ts';

const ADD = ['ip', 'addr', 'add', '10.9.0.100/24', 'dev', 'bond0'];
const DELETE = ['ip', 'addr', 'del', '10.9.0.100/24', 'dev', 'bond0'];
const PERMISSION = refused('RTNETLINK answers: Operation not permitted\n');
const KILLED: CommandResult = {
  kind: 'exited',
  code: undefined,
  signal: 'SIGKILL',
  output: '',
  truncated: false,
};

describe('judgeIp', () => {
  const table: readonly {
    argv: readonly string[];
    result: CommandResult;
    expected: VipFaultReason | 'done' | 'already';
  }[] = [
    { argv: ADD, result: EXITED_OK, expected: 'done' },
    { argv: ADD, result: refused('RTNETLINK answers: File exists\n'), expected: 'already' },
    { argv: ADD, result: refused('Error: ipv4: Address already assigned.'), expected: 'already' },
    { argv: DELETE, result: refused('Error: ipv4: Address not found.'), expected: 'already' },
    {
      argv: DELETE,
      result: refused('RTNETLINK answers: Cannot assign requested address\n'),
      expected: 'already',
    },
    { argv: DELETE, result: refused('Cannot find device "bond0"', 1), expected: 'already' },
    { argv: ADD, result: refused('Cannot find device "bond0"', 1), expected: 'interface-missing' },
    {
      argv: ADD,
      result: refused('RTNETLINK answers: Cannot assign requested address'),
      expected: 'command-failed',
    },
    { argv: DELETE, result: refused('RTNETLINK answers: File exists'), expected: 'command-failed' },
    { argv: ADD, result: PERMISSION, expected: 'not-permitted' },
    { argv: DELETE, result: PERMISSION, expected: 'not-permitted' },
    { argv: ADD, result: refused('', 255), expected: 'command-failed' },
    { argv: ADD, result: KILLED, expected: 'command-failed' },
    { argv: ADD, result: { kind: 'timeout' }, expected: 'command-timeout' },
    { argv: ADD, result: { kind: 'missing' }, expected: 'command-missing' },
    { argv: ADD, result: { kind: 'not-executable' }, expected: 'command-missing' },
    { argv: ADD, result: { kind: 'failed', detail: 'EAGAIN' }, expected: 'command-failed' },
  ];
  for (const { argv, result, expected } of table) {
    it(`takes ${JSON.stringify(result)} of ${argv[2] ?? ''} for ${expected}`, () => {
      const outcome = judgeIp(argv, result);
      assert.equal(outcome.kind === 'fault' ? outcome.fault.reason : outcome.kind, expected);
    });
  }

  it('tells the command, what it said on one line, and what to do', () => {
    const outcome = judgeIp(ADD, PERMISSION);
    assert.ok(outcome.kind === 'fault');
    assert.equal(
      outcome.fault.detail,
      'ip addr add 10.9.0.100/24 dev bond0: exit 2: RTNETLINK answers: Operation not permitted; ' +
        'run carpd as root or give it CAP_NET_ADMIN',
    );
  });

  it('knows which ends leave it open whether the kernel has obeyed', () => {
    const open = (result: CommandResult): boolean => {
      const outcome = judgeIp(ADD, result);
      return outcome.kind === 'fault' && outcome.mayHaveWorked;
    };
    assert.equal(open(KILLED), true);
    assert.equal(open({ kind: 'timeout' }), true);
    assert.equal(open({ kind: 'failed', detail: 'EPIPE' }), true);
    assert.equal(open(PERMISSION), false);
    assert.equal(open(refused('', 255)), false);
    assert.equal(open({ kind: 'missing' }), false);
  });

  it('names the signal that ended it', () => {
    const outcome = judgeIp(ADD, KILLED);
    assert.ok(outcome.kind === 'fault');
    assert.match(outcome.fault.detail, /signal SIGKILL/);
  });

  it('bounds what a command may say', () => {
    const outcome = judgeIp(ADD, refused('x '.repeat(10_000)));
    assert.ok(outcome.kind === 'fault');
    assert.ok(outcome.fault.detail.length < 400);
  });
});
