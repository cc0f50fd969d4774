// What the rules of the firewall mean for the adverts of an instance. Pure.
import { finding, type Finding } from './catalogue.ts';
import { iptablesFate } from './iptables-rules.ts';
import { nftFate } from './nft-ruleset.ts';
import { worstFate, type AdvertPath, type Fate } from './ruleset.ts';

/** What the tools printed; undefined: the tool is not there, or may not look. */
export interface FirewallFacts {
  readonly nft: string | undefined;
  readonly iptables: string | undefined;
  /** Services that make rules of their own, as they name themselves. */
  readonly managers: readonly ('firewalld' | 'ufw')[];
}

/** For adverts to `group` in both directions. */
export function firewallFindings(
  facts: FirewallFacts,
  interfaceName: string,
  group: string,
): readonly Finding[] {
  if (facts.nft === undefined && facts.iptables === undefined) {
    const text = 'the firewall rules: neither nft nor iptables-save could be run';
    return [finding('not-looked', 'host', text, 'install nftables, and run the doctor as root')];
  }
  const fates = (['input', 'output'] as const).map((direction) => {
    return { direction, fate: fateOf(facts, { direction, interfaceName, group }) };
  });
  const found = fates.flatMap(({ direction, fate }) => {
    if (fate === 'accepted') return [];
    const remedy = remedyFor(facts, direction, interfaceName);
    const way = direction === 'input' ? 'on the way in' : 'on the way out';
    return fate === 'dropped'
      ? [finding('firewall-drops', interfaceName, `protocol 112 is dropped ${way}`, remedy)]
      : [finding('firewall-may-drop', interfaceName, `protocol 112 may be dropped ${way}`, remedy)];
  });
  if (found.length > 0) return found;
  return [finding('firewall-good', interfaceName, 'protocol 112 passes, in and out')];
}

function fateOf({ nft, iptables }: FirewallFacts, path: AdvertPath): Fate {
  const fates: Fate[] = [];
  const byNft = nft === undefined ? undefined : nftFate(nft, path);
  if (byNft !== undefined) fates.push(byNft);
  if (iptables !== undefined) fates.push(iptablesFate(iptables, path));
  return worstFate(fates);
}

/** A rule in front of those that are there, by the tool that makes them. */
function remedyFor(
  { nft, iptables, managers }: FirewallFacts,
  direction: 'input' | 'output',
  interfaceName: string,
): string {
  if (managers.includes('firewalld')) {
    return 'firewall-cmd --permanent --add-protocol=vrrp, then firewall-cmd --reload';
  }
  const chain = direction === 'input' ? 'INPUT' : 'OUTPUT';
  const flag = direction === 'input' ? '-i' : '-o';
  if (managers.includes('ufw') || nft === undefined || (iptables ?? '').includes('-A ')) {
    const where = managers.includes('ufw') ? ' in /etc/ufw/before.rules' : '';
    return `iptables -I ${chain} ${flag} ${interfaceName} -p 112 -j ACCEPT${where}`;
  }
  const match = direction === 'input' ? 'iifname' : 'oifname';
  const rule = `${match} ${interfaceName} ip protocol 112 accept`;
  return `nft insert rule inet filter ${direction} ${rule}`;
}
