"""Empties a chat server before it is restarted: HAProxy sends it no new chats, and those that are open may end."""
