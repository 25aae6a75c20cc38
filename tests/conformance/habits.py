"""What the inventories of the WIPSoft and Fibocom manuals leave to their reader."""

from __future__ import annotations

from conformance.atinventory import Habits

WIPSOFT = Habits(
    samples={
        ("+WIPCFG", "opt num"): "0",
        ("+WIPCFG", "value"): "10",
        ("+WIPBR", "opt num"): "11",
        ("+WIPBR", "value"): '"internet"',
        ("+WIPBR", "bid"): "6",
        ("+WIPBR.start", "bid"): "5",
        ("+WIPOPT", "optnum"): "8",
        ("+WIPOPT", "optval"): "20",
        ("+WIPDATA", "send size"): "20",
    },
    written={
        "+WIPOPT.set_mms": [
            "AT+WIPOPT=8,1,2,96",
            'AT+WIPOPT=8,1,2,87,"a"',
            'AT+WIPOPT=8,1,2,92,1,"application/smil","<001>"',
            'AT+WIPOPT=8,1,2,93,2,222,"2.txt"',
            'AT+WIPOPT=8,1,2,93,2,222,"2.txt","<001>"',
            'AT+WIPOPT=8,1,2,94,"audio/xyz",128,"6.xyz","<XYZ>"',
        ],
    },
    limits={
        "udp_sockets": "numbers.udp_sockets",
        "tcp_client_sockets": "numbers.tcp_sockets",
        "ssl_tcp_client_sockets": "numbers.ssl_sockets",
        "tcp_server_sockets": "numbers.server_sockets",
        "sockets_all": "numbers.sockets_all",
        "sessions_ftp_http_smtp_pop3_mms": "numbers.sessions",
        "ftp_sessions": "numbers.sessions",
        "communication_index": "commands.+WIPCREATE.arguments.index.minimum commands.+WIPCREATE.arguments.index.maximum",
        "started_bearers": "numbers.started_bearers",
        "filename_chars_ftp": "commands.+WIPFILE.arguments.filename.max_length",
        "filename_chars": "commands.+WIPFILE.arguments.filename.max_length",
        "bearer_login_chars": "options.+WIPBR.0.max_length",
        "bearer_password_chars": "options.+WIPBR.1.max_length",
        "bearer_phone_chars": "options.+WIPBR.2.max_length",
        "apn_chars": "options.+WIPBR.11.max_length",
        "guard_time_s": "1000*numbers.guard_ms",
        "udp_datagram_bytes": "numbers.udp_datagram_bytes",
        "udp_transparent_send_size_bytes": "commands.+WIPDATA.arguments.size.minimum "
        "commands.+WIPDATA.arguments.size.maximum numbers.udp_send_bytes",
        "tcp_send_size_bytes": "",
        "offline_block_bytes": "numbers.offline_block_bytes",
        "offline_buffer_bytes": "options.+WIPCFG.15.minimum options.+WIPCFG.15.maximum options.+WIPCFG.15.default",
        "offline_tcp_bytes_per_send": "numbers.offline_tcp_bytes",
        "offline_sessions": "numbers.offline_sessions",
        "ping_packet_bytes": "commands.+WIPPING.arguments.size.maximum",
        # The first is of a module with little memory.
        "mms_total_kbytes": "- 1024*numbers.mms_bytes",
        "mms_recipients": "numbers.mms_recipients",
        "mms_recipient_list_chars": "numbers.mms_recipient_list_characters",
        "tcp_peer_timeout": "",
        "ip_stack_configurations_in_flash": "",
        "bearer_configurations_in_flash": "",
    },
    options={
        "wipcfg": "+WIPCFG",
        "wipbr": "+WIPBR",
        "sockets": "sockets",
        "ftp": "ftp",
        "http": "http",
        "smtp": "smtp",
        "pop3": "pop3",
        "mms": "mms",
    },
)

FIBOCOM = Habits(
    samples={
        ("+MIPCALL", "operation"): "1",
        ("+MPING", "TimeOUT"): "4000",
        ("+MIPREAD", "ReadDataLen"): "100",
    },
    written={
        # Abort has no more values, a ping a destination (1.1.14.1).
        "+MPING.set": [
            "AT+MPING=0",
            'AT+MPING=2,"host"',
            'AT+MPING=1,"host",1',
            'AT+MPING=1,"host",1,32',
            'AT+MPING=1,"host",1,32,64',
            'AT+MPING=1,"host",1,32,64,0',
            'AT+MPING=1,"host",1,32,64,0,4000',
        ],
        # On needs the other three.
        "+MIPKEEPCONF.set": ["AT+MIPKEEPCONF=0", "AT+MIPKEEPCONF=1,7200,65,9"],
        "+GTSET.set": ['AT+GTSET="SENDTIME",12', 'AT+GTSET="IPRFMT",5'],
    },
    more={
        "+MIPOPEN.set": ['AT+MIPOPEN=1,1024,"0.0.0.0",0,0'],
        "+MIPODM.set": ['AT+MIPODM=1,1024,"0.0.0.0",0,0'],
    },
    limits={
        "sockets": "numbers.sockets",
        "dns_socket": "numbers.name_server_socket",
        "online_data_mode_sockets": "numbers.online_sockets",
        "ping_requests": "numbers.pings",
        "accumulating_buffer_bytes": "numbers.accumulating_bytes",
        "mipsend_hex_mode_bytes": "commands.+MIPSEND.arguments.length.minimum commands.+MIPSEND.arguments.length.maximum",
        # F18: 1024 go.
        "mipsend_inline_bytes": "",
        # Errata F45: the first is of another generation of radio.
        "online_data_mode_buffer_bytes": "- numbers.online_bytes",
        "spooling_timeout_ms": "- numbers.online_delay_ms",
        "apn_chars": "commands.+MIPCALL.arguments.apn.max_length",
        "user_name_chars": "commands.+MIPCALL.arguments.user.max_length",
        "password_chars": "commands.+MIPCALL.arguments.password.max_length",
        "host_name_chars": "commands.+MIPOPEN.arguments.host.max_length",
        "mipcall_activation_s": "numbers.call_s",
        "mipcall_release_s": "numbers.call_s",
        "mipopen_dns_failure_s": "numbers.open_name_s",
        "mipsend_timeout_s": "commands.+GTSET.arguments.seconds.minimum commands.+GTSET.arguments.seconds.maximum "
        "commands.+GTSET.arguments.seconds.initial",
        "ping_size_bytes": "commands.+MPING.arguments.size.minimum commands.+MPING.arguments.size.maximum",
        "source_port_recommended_min": "numbers.source_port_from",
    },
    options={
        "gtset": "arguments +GTSET",
        "mipsets": "arguments +MIPSETS",
        "mipdsets": "arguments +MIPDSETS",
        "mipconf": "arguments +MIPCONF",
        "mipkeepconf": "arguments +MIPKEEPCONF",
        "mping": "arguments +MPING",
    },
    texts_travel=True,
)
