/** Names in no order, so that neither ids nor indexes are sorted by accident. */
const FIRST_NAMES =
  `Maria Nushi José Wei Ahmed Anna Juan Mohammed Olga Ivan Fatima Elena Carlos Ana Yuki Sofia Ali Emma Liam Noah
Olivia James Ava Lucas Mia Ethan Zoë Amir Leila Hassan Ingrid Björn Freya Lars Astrid Nils Chloé Hugo Manon Théo Jules
Léa Giulia Marco Luca Chiara Matteo Alessia Pedro Inês João Beatriz Rafael Lúcia Mateus Hiroshi Sakura Kenji Aiko Haruto
Min-jun Seo-yeon Ji-woo Priya Arjun Ananya Rohan Kavya Vikram Deepa Sanjay Meera Kwame Ama Kofi Abena Chinedu Ngozi Emeka
Thandiwe Sipho Zanele Tariq Amina Omar Layla Yusuf Noor Dmitri Svetlana Pavel Irina Sergei Natalia Agnieszka Piotr
Katarzyna Tomasz Zuzana Jakub Eszter Bence Ádám Réka Ioana Andrei Mihai Yiannis Eleni Dimitris Ayşe Mehmet Zeynep Emre
William Charlotte Henry Amelia George Isla Oscar Poppy Arthur Daisy Quentin Ulrike Xavier Brigid Declan Siobhán Rhys`.split(
    /\s+/,
  );

const LAST_NAMES =
  `Smith García Müller Li Wang Silva Martin Rossi Novák Kim Nguyen Patel Khan Ivanova Johansson Andersen Jones
Kowalski Okafor Mensah Dlamini Yılmaz Papadopoulos Popescu Horváth Tanaka Suzuki Sato Chen Zhang Santos Oliveira Fernandes
López Hernández Martínez Pérez Dubois Lefebvre Moreau Schmidt Schneider Fischer Weber Wagner Becker Hoffmann Brown Wilson
Taylor Davies Evans Thomas Roberts Walker Wright Robinson Thompson White Hughes Edwards Green Hall Wood Harris Clarke
Jackson Lewis O'Brien O'Connor Murphy Kelly Byrne Ryan MacDonald Campbell Stewart Reid Murray Fraser Olsen Hansen Larsen
Nielsen Pedersen Eriksson Nilsson Virtanen Korhonen Mäkinen Jansen de-Vries van-Dijk Bakker Visser Peeters Janssens
Maes Ferrari Bianchi Romano Colombo Ricci Costa Almeida Carvalho Gomes Ribeiro Sousa Kovács Szabó Tóth Dvořák Svoboda
Wiśniewska Lewandowski Petrov Sokolov Kuznetsov Popova Haddad Nasser Rahman Ahmed Hussain Malik Sharma Gupta Singh Kumar
Reddy Iyer Das Banerjee Eze Adeyemi Balogun Osei Abebe Tesfaye Mwangi Otieno Ndlovu Zulu Quispe Mamani Ueda Ximenes`.split(
    /\s+/,
  );

/** More hosts of one person's mail than of another's. */
const MAIL_HOSTS = ['example.com', 'mail.example.org', 'example.net', 'corp.example', 'students.example.edu'];

export interface Person {
  username: string;
  email: string;
  firstName: string;
  lastName: string;
}

/** @param number makes the username and the address the only ones of their kind */
export function makePerson(random: () => number, number: number): Person {
  const firstName = pick(FIRST_NAMES, random());
  const lastName = pick(LAST_NAMES, random()).replace('-', ' ');
  const username = `${plain(firstName)}.${plain(lastName)}${number}`;
  return { username, firstName, lastName, email: `${username}@${pick(MAIL_HOSTS, random() ** 2)}` };
}

/** The same numbers from 0 to 1 at every run (Marsaglia's xorshift). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

function pick(list: readonly string[], share: number): string {
  return list[Math.floor(share * list.length)] ?? '';
}

function plain(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase();
}
