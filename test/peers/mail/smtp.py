# A mail server: python3 smtp.py PORT FOLDER. Takes mail into FOLDER/maildir after STARTTLS and a login (robot, s3cret).
import asyncio, mailbox, os, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

port, folder = int(sys.argv[1]), sys.argv[2]
box = mailbox.Maildir(os.path.join(folder, 'maildir'))


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split('@')[0]
        if name == 'nobody':
            return '550 5.1.1 no such user'
        if name == 'grey' and not os.path.exists(os.path.join(folder, 'pass')):
            return '451 4.7.1 greylisted, try again later'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        if b'slowly' in envelope.content:
            open(os.path.join(folder, 'has-data'), 'w').close()
            await asyncio.sleep(20 if not os.path.exists(os.path.join(folder, 'pass')) else 0)
        message = mailbox.MaildirMessage(envelope.content)
        message['Envelope-To'] = envelope.rcpt_tos[0]
        message['X-Login'] = '%s over TLS: %s' % (session.auth_data, session.ssl is not None)
        box.add(message)
        with open(os.path.join(folder, 'log', 'mainlog'), 'a') as log:
            log.write('<= id=%s for %s\n' % (message['Message-ID'].strip()[1:-1], envelope.rcpt_tos[0]))
        return '250 taken'


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b'robot', b's3cret')
    return AuthResult(success=good, handled=False, auth_data=data.login.decode() if good else None)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, 'localhost.crt'), os.path.join(folder, 'localhost.key'))
factory = lambda: SMTP(Handler(), hostname='localhost', tls_context=context, require_starttls=True,
                       authenticator=authenticate, auth_required=True, enable_SMTPUTF8=True)


async def main():
    server = await asyncio.get_running_loop().create_server(factory, '127.0.0.1', port)
    await server.serve_forever()


asyncio.run(main())
