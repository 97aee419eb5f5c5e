core.register_service("hello", "http", function(applet) applet:start_response() applet:send("hello") end)
