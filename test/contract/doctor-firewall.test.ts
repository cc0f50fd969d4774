// The rules that nft and iptables print, read by the doctor. Needs root.
import { deepEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFirewall } from '../../src/doctor/facts/host.ts';
import { firewallFindings } from '../../src/doctor/checks/firewall-checks.ts';
import { inNamespace, shell } from './namespace.ts';

const PEERS = ['10.9.0.10', '10.9.0.20'];

inNamespace(import.meta.url, () => {
  describe('the rules in force', () => {
    for (const [name, script, wanted] of [
      ['none', '', ['firewall-good']],
      ['a rule of iptables that rejects all', 'iptables -A INPUT -j REJECT', ['firewall-drops']],
      [
        'states and comments of iptables',
        `iptables -P INPUT DROP
         iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
         iptables -A INPUT -m comment --comment "CARP, or VRRP" -p 112 -j ACCEPT
         iptables -A INPUT -j LOG`,
        ['firewall-good'],
      ],
      ['the table raw', 'iptables -t raw -A OUTPUT -p 112 -j DROP', ['firewall-drops']],
      [
        'what firewall.md gives for known peers',
        nft(`chain input {
          type filter hook input priority filter; policy drop
          ct state vmap { established : accept, related : accept, invalid : drop }
          iif lo accept
          ip protocol 112 ip saddr { 10.9.0.10, 10.9.0.20 } ip ttl 255 accept
        }`),
        ['firewall-good'],
      ],
      [
        'a jump by the name of the interface',
        nft(`chain lan {
          ip protocol { tcp, udp, 112 } drop
        }
        chain input {
          type filter hook input priority filter; policy accept
          iifname vmap { "lo" : accept, "eth*" : jump lan }
        }`),
        ['firewall-drops'],
      ],
      [
        'a set and a map with names',
        nft(`set wanted {
          type inet_proto
          elements = { tcp, 112 }
        }
        map fates {
          type inet_proto : verdict
          elements = { udp : drop, 112 : accept }
        }
        chain input {
          type filter hook input priority filter; policy drop
          ip protocol @wanted meta l4proto vmap @fates
        }
        chain output {
          type filter hook output priority filter; policy accept
          ip protocol != @wanted drop
        }`),
        ['firewall-good'],
      ],
    ] as const) {
      test(name, async () => {
        try {
          await shell(script);
          const facts = { ...(await readFirewall()), managers: [] };
          const found = firewallFindings(facts, 'eth0', '224.0.0.18', PEERS);
          deepEqual(
            found.map(({ code }) => code),
            wanted,
            JSON.stringify(facts),
          );
        } finally {
          await shell('nft flush ruleset');
        }
      });
    }
  });
});

/** A table as a script of the shell. */
function nft(table: string): string {
  return `nft -f - <<'RULES'\ntable inet filter {\n${table}\n}\nRULES`;
}
