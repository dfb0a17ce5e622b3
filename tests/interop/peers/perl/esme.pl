# Net::SMPP as an ESME that echoes: perl esme.pl PORT. See ../../peer.py.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Net::SMPP;
use Texts;

use constant RECEIPT => 0x04;    # SMPP 3.4 5.2.12

my ($port) = @ARGV;
my $reference = 0;

sub bind_with {
    my ($password) = @_;
    return Net::SMPP->new_transceiver('127.0.0.1', port => $port, smpp_version => 0x34,
        interface_version => 0x34, system_id => 'smsd', password => $password, async => 0);
}

my ($refused) = bind_with('wrong');
$refused->close;
my ($smsc, $bound) = bind_with('secret');
die 'not bound: ' . $bound->explain_status if $bound->status;

# Asynchronous from here on: wait_pdu throws away whatever else comes while it waits.
$smsc->enquire_link(async => 1);
my (%parts_left, %id_of);

sub echo {
    my ($pdu, $text) = @_;
    my @sequences = map {
        $smsc->submit_sm(async => 1, source_addr => $pdu->{destination_addr},
            destination_addr => $pdu->{source_addr}, dest_addr_ton => 1,
            registered_delivery => 1, @$_)
    } bodies($text, 1000 + $reference++);
    $parts_left{ $sequences[-1] } = 1;
}

my %react = (
    Net::SMPP::CMD_enquire_link() => sub { $smsc->enquire_link_resp(seq => $_[0]{seq}) },
    Net::SMPP::CMD_submit_sm_resp() => sub {
        my ($pdu) = @_;
        tell_tests('taken', id => $pdu->{message_id}) if delete $parts_left{ $pdu->{seq} };
    },
    Net::SMPP::CMD_deliver_sm() => sub {
        my ($pdu) = @_;
        $smsc->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
        return tell_tests('receipt', receipt_of($pdu)) if $pdu->{esm_class} & RECEIPT;
        my ($text, $parts) = join_parts($pdu) or return;
        return $smsc->unbind(async => 1) if $text eq 'bye';
        tell_tests('text', phone => $pdu->{source_addr}, number => $pdu->{destination_addr},
            text => $text, parts => $parts);
        echo($pdu, $text);
    },
    Net::SMPP::CMD_unbind_resp() => sub { $smsc->close; ($smsc) = bind_with('secret') },
    Net::SMPP::CMD_unbind() => sub { $smsc->unbind_resp(seq => $_[0]{seq}); exit 0 },
);

while (my $pdu = $smsc->read_pdu) {
    my $reaction = $react{ $pdu->{cmd} } or next;
    $reaction->($pdu);
}
die 'the SMSC hung up';
