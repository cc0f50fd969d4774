// Words of keepalived and ucarp that somebody may type into our file, and what to use instead.

const WORDS: Readonly<Record<string, string>> = {
  priority: 'carpd uses advskew, and the lower one wins',
  virtual_router_id: 'carpd calls it vhid',
  vrid: 'carpd calls it vhid',
  advert_int: 'carpd calls it advbase',
  virtual_ipaddress: 'carpd calls it address, and each instance has one',
  unicast_peer:
    'carpd sends to a multicast group, or with broadcast: true; name the nodes in peers',
  unicast_src_ip: 'carpd calls it source',
  mcast_src_ip: 'carpd calls it source',
  track_script: 'carpd runs no checks; let a script of yours run carpd maintenance on NAME',
  vrrp_script: 'carpd runs no checks; let a script of yours run carpd maintenance on NAME',
  track_interface: 'carpd watches its interface and all below it by itself',
  notify: 'use hooks.up and hooks.down',
  notify_master: 'use hooks.up',
  notify_backup: 'use hooks.down',
  notify_fault: 'use hooks.down',
  authentication: 'use passphraseFile',
  auth_type: 'use passphraseFile',
  auth_pass: 'use passphraseFile',
  nopreempt: 'carpd does not preempt unless preempt: true is given',
  state: 'carpd has no first state: the election decides',
  garp_master_delay: 'use announce.burst and announce.interval',
  garp_master_repeat: 'use announce.burst',
  garp_master_refresh: 'use announce.refresh',
  upscript: 'use hooks.up',
  downscript: 'use hooks.down',
  srcip: 'carpd calls it source',
  addr: 'carpd calls it address',
  pass: 'carpd calls it passphrase; passphraseFile is better',
  passfile: 'carpd calls it passphraseFile',
  shutdown: 'carpd always runs the down hook when it ends',
};

/** What to use instead of a word of another program; undefined: it is none. */
export function rivalHint(word: string): string | undefined {
  const plain = word.toLowerCase().replaceAll('-', '_');
  return Object.hasOwn(WORDS, plain) ? WORDS[plain] : undefined;
}
