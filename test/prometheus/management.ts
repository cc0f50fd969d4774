// A network of its own by which Prometheus reaches the nodes: scrapes on the segment would be data
// frames that prove links, and would end with the links that a test breaks.
import type { Host } from '../../lab/host.ts';

const PORT = 9112;

/** Links each of the nodes with the watcher; yields what to scrape, in the order of the nodes. */
export async function manage(watcher: Host, nodes: readonly Host[]): Promise<readonly string[]> {
  const targets = nodes.map(async (node, index) => {
    const [device, network] = [`watch${index}`, `10.78.${index}`];
    const peer = ['peer', 'name', 'mgmt0', 'netns', node.netns];
    await watcher.ip('link', 'add', device, 'type', 'veth', ...peer);
    await watcher.ip('addr', 'add', `${network}.1/30`, 'dev', device);
    await node.ip('addr', 'add', `${network}.2/30`, 'dev', 'mgmt0');
    await watcher.ip('link', 'set', device, 'up');
    await node.ip('link', 'set', 'mgmt0', 'up');
    return `${network}.2:${PORT}`;
  });
  return Promise.all(targets);
}
