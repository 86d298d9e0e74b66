// Leads Node releases that ignore HTTPS_PROXY through it: `fetch` and requests by node:https.
//
// Node understands NODE_USE_ENV_PROXY since 22.21 and 24.0 and needs none of this; an older one
// would silently call the host that it was told to call. Loaded by NODE_OPTIONS=--require.
'use strict';

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

const [major, minor] = process.versions.node.split('.').map(Number);
const understandsProxies = major >= 24 || (major === 22 && minor >= 21);
const address = process.env.https_proxy || process.env.HTTPS_PROXY;
const exempt = (process.env.no_proxy || process.env.NO_PROXY || '')
  .split(',')
  .map((entry) => entry.trim().toLowerCase().replace(/^\*?\./, ''))
  .filter(Boolean);

if (address && !understandsProxies) {
  install(new URL(address));
}

function install(proxy) {
  // Touching Headers makes Node load its own undici, which then puts up the global dispatcher.
  void globalThis.Headers;
  const key = Symbol.for('undici.globalDispatcher.1');
  const Agent = globalThis[key].constructor;
  globalThis[key] = new Agent({
    connect: ({ protocol, hostname, port, servername }, callback) => {
      const secure = protocol === 'https:';
      const target = { host: hostname, port: Number(port) || (secure ? 443 : 80), servername };
      open(proxy, secure, target, callback);
    },
  });
  https.globalAgent = new (class extends https.Agent {
    createConnection(options, callback) {
      open(proxy, true, options, callback);
    }
  })({ keepAlive: true });
}

function open(proxy, secure, options, callback) {
  if (!secure) {
    const socket = net.connect(options);
    settle(socket, 'connect', callback);
  } else if (isExempt(options.host)) {
    settle(tls.connect({ ...options, ...names(options) }), 'secureConnect', callback);
  } else {
    tunnel(proxy, options, (error, socket) => {
      if (error) {
        callback(error);
      } else {
        settle(tls.connect({ ...options, ...names(options), socket }), 'secureConnect', callback);
      }
    });
  }
}

function names({ host, servername }) {
  const name = servername || host;
  return net.isIP(name) ? { servername: '' } : { servername: name };
}

function settle(socket, event, callback) {
  const fail = (error) => callback(error);
  socket.once('error', fail);
  socket.once(event, () => {
    socket.removeListener('error', fail);
    callback(null, socket);
  });
}

function tunnel(proxy, { host, port }, callback) {
  const target = `${net.isIPv6(host) ? `[${host}]` : host}:${port}`;
  const headers = { Host: target };
  if (proxy.username) {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['Proxy-Authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  const request = http.request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || 80,
    method: 'CONNECT',
    path: target,
    headers,
    agent: false,
  });
  request.once('connect', (response, socket) => {
    if (response.statusCode === 200) {
      callback(null, socket);
    } else {
      callback(new Error(`the proxy answered ${response.statusCode} to CONNECT ${target}`));
    }
  });
  request.once('error', callback);
  request.end();
}

function isExempt(host) {
  const name = host.toLowerCase();
  return exempt.some((entry) => entry === '*' || name === entry || name.endsWith(`.${entry}`));
}
