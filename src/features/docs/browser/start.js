import { buildTryItOut } from './tryItOut.js';

const { appVersion } = document.getElementById('api').dataset;
const description = await (await fetch('/openapi.json')).json();
const tryItOut = buildTryItOut(description, { appVersion, origin: location.origin });

SwaggerUIBundle({
  spec: tryItOut.document,
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: tryItOut.sign,
  responseInterceptor: tryItOut.keep,
});
