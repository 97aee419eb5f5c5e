/** Where ClientMessenger takes TynTec's calls, and so the portal's frontend, too (vendor page "WhatsApp"). */
export const callbackPaths = { messages: "/incoming", status: "/delivery" };
