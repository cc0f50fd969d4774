// What the rules of the firewall mean for the adverts of an instance. Pure.
import { finding, type Finding } from './catalogue.ts';
import { iptablesFate, tablesIn } from './iptables-rules.ts';
import { judgeNft, type NftFate } from './nft-ruleset.ts';
import { worstFate, type AdvertPath } from './ruleset.ts';

/** What the tools printed; undefined: the tool is not there, or may not look. */
export interface FirewallFacts {
  readonly nft: string | undefined;
  readonly iptables: string | undefined;
  /** Of iptables-save, where its rules stand in the tables of nft, which tell less of them. */
  readonly iptablesOverNft?: string | undefined;
  /** Services that make rules of their own, as they name themselves. */
  readonly managers: readonly ('firewalld' | 'ufw')[];
}

/** For adverts to `group` in both directions; `peers`: who sends them, as far as that is known. */
export function firewallFindings(
  facts: FirewallFacts,
  interfaceName: string,
  group: string,
  peers: readonly string[] = [],
): readonly Finding[] {
  if (facts.nft === undefined && facts.iptables === undefined) {
    const text = 'the firewall rules: neither nft nor iptables-save could be run';
    return [finding('not-looked', 'host', text, 'install nftables, and run the doctor as root')];
  }
  const found = (['input', 'output'] as const).flatMap((direction) => {
    const sources = direction === 'input' ? peers : [];
    const { fate, chain } = judge(facts, { direction, interfaceName, group, sources });
    if (fate === 'accepted') return [];
    const remedy = remedyFor(facts, { direction, interfaceName, chain });
    const way = direction === 'input' ? 'on the way in' : 'on the way out';
    return fate === 'dropped'
      ? [finding('firewall-drops', interfaceName, `protocol 112 is dropped ${way}`, remedy)]
      : [finding('firewall-may-drop', interfaceName, `protocol 112 may be dropped ${way}`, remedy)];
  });
  if (found.length > 0) return found;
  return [finding('firewall-good', interfaceName, 'protocol 112 passes, in and out')];
}

function judge({ nft, iptables, iptablesOverNft }: FirewallFacts, path: AdvertPath): NftFate {
  const except = iptablesOverNft === undefined ? [] : tablesIn(iptablesOverNft);
  const byNft = nft === undefined ? undefined : judgeNft(nft, path, except);
  const texts = [iptables, iptablesOverNft].filter((text) => text !== undefined);
  const others = texts.map((text) => iptablesFate(text, path));
  const fate = worstFate([...(byNft === undefined ? [] : [byNft.fate]), ...others]);
  return { fate, chain: byNft?.fate === fate ? byNft.chain : undefined };
}

/** A rule in front of those that are there, by the tool that makes them. */
function remedyFor(
  { nft, managers }: FirewallFacts,
  { direction, interfaceName, chain }: Stop,
): string {
  if (managers.includes('firewalld')) {
    return 'firewall-cmd --permanent --add-protocol=vrrp, then firewall-cmd --reload';
  }
  const isInput = direction === 'input';
  if (managers.includes('ufw') || nft === undefined || chain === undefined) {
    const where = managers.includes('ufw') ? ' in /etc/ufw/before.rules' : '';
    const [name, flag] = isInput ? ['INPUT', '-i'] : ['OUTPUT', '-o'];
    return `iptables -I ${name} ${flag} ${interfaceName} -p 112 -j ACCEPT${where}`;
  }
  const match = isInput ? 'iifname' : 'oifname';
  return `nft insert rule ${chain} ${match} ${interfaceName} ip protocol 112 accept`;
}

/** Where adverts do not pass; `chain` undefined: in one of iptables. */
interface Stop {
  readonly direction: 'input' | 'output';
  readonly interfaceName: string;
  readonly chain: string | undefined;
}
