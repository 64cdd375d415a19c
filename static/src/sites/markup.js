// HTML that our own server rendered and sanitised. The one place of a published page that hands text on as markup.
const policy = window.trustedTypes?.createPolicy("agentbase-site", { createHTML: (text) => text });

export const markup = (text) => (policy ? policy.createHTML(text) : text);
