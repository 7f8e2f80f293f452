import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const PAGE = '../src/biblio/entrypoints/api/page';
const WORTH = 1024; // bytes: smaller files are sent as they are

/** Beside each file its smallest form, which the server sends to browsers that take it. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(PAGE, { recursive: true, encoding: 'utf8' })) {
        const path = join(PAGE, name);
        if (!/\.(js|css|svg|html)$/.test(name) || statSync(path).size < WORTH) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the policy allows no data: addresses
    modulePreload: { polyfill: false }, // an inline script
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
});
