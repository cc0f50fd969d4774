// What the ends of `ip` batches mean; the messages are those of real kernels and versions.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandResult } from '../../../src/base/command.ts';
import { judgeBatch, type IpOutcome } from '../../../src/vip/ip-outcome.ts';
import type { AddressCommand } from '../../../src/vip/plan.ts';
import { EXITED_OK, ip, refused } from './fakes.ts';

const ADD: AddressCommand = { verb: 'add', address: ip('10.9.0.100'), prefixLength: 24 };
const DELETE: AddressCommand = { ...ADD, verb: 'del' };
const KILLED: CommandResult = {
  kind: 'exited',
  code: undefined,
  signal: 'SIGKILL',
  output: '',
  truncated: false,
};

function wordOf(outcome: IpOutcome | undefined): string | undefined {
  return outcome?.kind === 'fault' ? outcome.fault.reason : outcome?.kind;
}

function judge(command: AddressCommand, result: CommandResult): IpOutcome | undefined {
  return judgeBatch([command], 'bond0', result).each[0];
}

/** The only line of a batch has failed. */
function line(said: string): CommandResult {
  return refused(`${said}\nCommand failed -:1\n`, 1);
}

describe('one command', () => {
  const table: readonly [AddressCommand, CommandResult, string][] = [
    [ADD, EXITED_OK, 'done'],
    [ADD, line('RTNETLINK answers: File exists'), 'already'],
    [ADD, line('Error: ipv4: Address already assigned.'), 'already'],
    [DELETE, line('Error: ipv4: Address not found.'), 'already'],
    [DELETE, line('RTNETLINK answers: Cannot assign requested address'), 'already'],
    [DELETE, line('Cannot find device "bond0"'), 'interface-missing'],
    [ADD, line('Cannot find device "bond0"'), 'interface-missing'],
    [ADD, line('RTNETLINK answers: Cannot assign requested address'), 'command-failed'],
    [DELETE, line('RTNETLINK answers: File exists'), 'command-failed'],
    [ADD, line('RTNETLINK answers: Operation not permitted'), 'not-permitted'],
    [DELETE, line('RTNETLINK answers: Operation not permitted'), 'not-permitted'],
    [ADD, refused('', 255), 'command-failed'],
    [ADD, refused('RTNETLINK answers: Busy', 2), 'command-failed'],
    [ADD, KILLED, 'command-failed'],
    [ADD, { kind: 'timeout', ended: true }, 'command-timeout'],
    [ADD, { kind: 'missing' }, 'command-missing'],
    [ADD, { kind: 'not-executable' }, 'command-missing'],
    [ADD, { kind: 'failed', detail: 'EAGAIN' }, 'command-failed'],
  ];
  for (const [command, result, expected] of table) {
    it(`takes ${JSON.stringify(result)} of ${command.verb} for ${expected}`, () => {
      assert.equal(wordOf(judge(command, result)), expected);
    });
  }

  it('tells the command, what it said on one line, and what to do', () => {
    const outcome = judge(ADD, line('RTNETLINK answers: Operation not permitted'));
    assert.ok(outcome?.kind === 'fault');
    assert.equal(
      outcome.fault.detail,
      'ip addr add 10.9.0.100/24 dev bond0: exit 1: RTNETLINK answers: Operation not permitted; ' +
        'run carpd as root or give it CAP_NET_ADMIN',
    );
  });

  it('may still act where it hangs in the kernel, and then only', () => {
    const open = (result: CommandResult): boolean => judgeBatch([ADD], 'b', result).mayStillAct;
    assert.equal(open({ kind: 'timeout', ended: false }), true);
    assert.equal(open({ kind: 'timeout', ended: true }), false);
    assert.equal(open(KILLED), false);
    assert.equal(open(EXITED_OK), false);
  });

  it('names the signal that ended it', () => {
    const outcome = judge(ADD, KILLED);
    assert.ok(outcome?.kind === 'fault');
    assert.match(outcome.fault.detail, /signal SIGKILL/);
  });

  it('bounds what a command may say', () => {
    const outcome = judge(ADD, line('x '.repeat(10_000)));
    assert.ok(outcome?.kind === 'fault');
    assert.ok(outcome.fault.detail.length < 400);
  });
});

describe('a batch', () => {
  const four = [ADD, DELETE, ADD, DELETE];

  it('matches what was said to the line that it was said of', () => {
    const said = [
      'Error: ipv4: Address already assigned.',
      'Command failed -:1',
      'RTNETLINK answers: Operation not permitted',
      'Command failed -:4',
      '',
    ].join('\n');
    const { each } = judgeBatch(four, 'bond0', refused(said, 1));
    assert.deepEqual(each.map(wordOf), ['already', 'done', 'done', 'not-permitted']);
  });

  it('does not believe the lines of a batch that was not read to its end', () => {
    const said =
      'Error: ipv4: Address already assigned.\nCommand failed -:1\n' +
      'Error: inet prefix is expected rather than "10.9.0.1/33".\n';
    const { each } = judgeBatch(four, 'bond0', refused(said, 1));
    assert.deepEqual(each.map(wordOf), [
      'already',
      'command-failed',
      'command-failed',
      'command-failed',
    ]);
  });
});
