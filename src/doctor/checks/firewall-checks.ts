// What the rules of the firewall mean for the adverts of an instance. Pure.
import { finding, type Finding } from './catalogue.ts';
import { judgeIptables, tablesIn } from '../firewall/iptables-rules.ts';
import { judgeNft } from '../firewall/nft-ruleset.ts';
import { worstFate, type AdvertPath, type Judgement } from '../firewall/ruleset.ts';

/** What the tools printed; undefined: the tool is not there, or may not look. */
export interface FirewallFacts {
  readonly nft: string | undefined;
  readonly iptables: string | undefined;
  /** Of iptables-save, where its rules stand in the tables of nft, which tell less of them. */
  readonly iptablesOverNft?: string | undefined;
  /** Services that make rules of their own, as they name themselves. */
  readonly managers: readonly ('firewalld' | 'ufw')[];
}

/** For adverts to `destination` in both directions; `peers`: who sends them, if known. */
export function firewallFindings(
  facts: FirewallFacts,
  interfaceName: string,
  destination: string,
  peers: readonly string[] = [],
): readonly Finding[] {
  if (facts.nft === undefined && facts.iptables === undefined) {
    const text = 'the firewall rules: neither nft nor iptables-save could be run';
    return [finding('not-looked', 'host', text, 'install nftables, and run the doctor as root')];
  }
  const found = (['input', 'output'] as const).flatMap((direction) => {
    const sources = direction === 'input' ? peers : [];
    const path = { direction, interfaceName, destination, sources };
    const judged = judge(facts, path);
    if (judged.fate === 'accepted') return [];
    const remedy = remedyFor(facts, path, judged);
    const way = direction === 'input' ? 'on the way in' : 'on the way out';
    return judged.fate === 'dropped'
      ? [finding('firewall-drops', interfaceName, `protocol 112 is dropped ${way}`, remedy)]
      : [finding('firewall-may-drop', interfaceName, `protocol 112 may be dropped ${way}`, remedy)];
  });
  if (found.length > 0) return found;
  return [finding('firewall-good', interfaceName, 'protocol 112 passes, in and out')];
}

/** Where adverts do not pass, by the tool that shows it. */
interface Judged extends Judgement {
  readonly tool: 'nft' | 'iptables' | 'iptables-legacy';
}

function judge({ nft, iptables, iptablesOverNft }: FirewallFacts, path: AdvertPath): Judged {
  const except = iptablesOverNft === undefined ? [] : tablesIn(iptablesOverNft);
  const byNft = nft === undefined ? undefined : judgeNft(nft, path, except);
  // Beside nftables the plain command makes rules of nftables: those of the old tables stay.
  const old = nft === undefined ? 'iptables' : 'iptables-legacy';
  const texts = [
    ...(iptables === undefined ? [] : [{ text: iptables, tool: old } as const]),
    ...(iptablesOverNft === undefined
      ? []
      : [{ text: iptablesOverNft, tool: 'iptables' } as const]),
  ];
  const all: readonly Judged[] = [
    ...(byNft === undefined ? [] : [{ ...byNft, tool: 'nft' } as const]),
    ...texts.map(({ text, tool }) => ({ ...judgeIptables(text, path), tool })),
  ];
  const fate = worstFate(all.map((one) => one.fate));
  const worst = all.find((one) => one.fate === fate);
  return { fate, chain: worst?.chain, tool: worst?.tool ?? 'nft' };
}

/** A rule in front of those that are there, by the tool that makes them. */
function remedyFor(
  { managers }: FirewallFacts,
  { direction, interfaceName }: AdvertPath,
  { chain = '', tool }: Judged,
): string {
  if (managers.includes('firewalld')) {
    return 'firewall-cmd --permanent --add-protocol=vrrp, then firewall-cmd --reload';
  }
  const isInput = direction === 'input';
  const flag = `${isInput ? '-i' : '-o'} ${interfaceName}`;
  if (managers.includes('ufw')) {
    const name = isInput ? 'input' : 'output';
    const rule = `-A ufw-before-${name} ${flag} -p 112 -j ACCEPT`;
    return `${rule} in /etc/ufw/before.rules, before its COMMIT; then ufw reload`;
  }
  if (tool !== 'nft') {
    const [table = '', name = ''] = chain.split(' ');
    const where = table === 'filter' ? name : `${name} -t ${table}`;
    return `${tool} -I ${where} ${flag} -p 112 -j ACCEPT`;
  }
  const match = isInput ? 'iifname' : 'oifname';
  return `nft insert rule ${chain} ${match} ${interfaceName} ip protocol 112 accept`;
}
